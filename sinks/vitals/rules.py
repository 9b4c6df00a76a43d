"""Alert rules that are worth having, in Prometheus's terms. deploy/alerts.yml has them as a rule file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert: when ``expr`` has held for ``wait``. ``summary`` says what it means and where to look."""

    name: str
    severity: Literal["warning", "critical"]
    wait: str
    expr: str
    summary: str


RULES: tuple[Rule, ...] = (
    Rule("PenstockDown", "critical", "1m", 'up{job="penstock"} == 0', "no answer: the process is gone, or hangs"),
    Rule(
        "PenstockNothingDurable",
        "critical",
        "1m",
        "penstock_commit_age_seconds > 60",
        "no snapshot became durable for a minute: the broker does not take records, or the state folder is full; "
        "nothing is lost, but nothing goes out",
    ),
    Rule(
        "PenstockEpochsLong",
        "warning",
        "10m",
        "histogram_quantile(0.9, sum by (job, le) (rate(penstock_epoch_seconds_bucket[15m]))) > 20",
        "epochs take twice run.checkpoint_every_s: a restart computes as much again; look at the disk and the broker",
    ),
    Rule(
        "PenstockFallsBehind",
        "warning",
        "5m",
        "penstock_consumer_lag > 1000 and deriv(penstock_consumer_lag[5m]) > 0",
        "more comes in than is worked off: look at the strategies' seconds, add processes",
    ),
    Rule(
        "PenstockLagUnknown",
        "warning",
        "5m",
        "penstock_commit_age_seconds unless on (job, instance) penstock_consumer_lag",
        "the broker does not say where the partitions end",
    ),
    Rule(
        "PenstockSilent",
        "critical",
        "5m",
        'sum by (job) (rate(penstock_records_in_total{topic=~".*(candles|trades)"}[5m])) == 0',
        "no market data: the feed has stopped, or the broker does not hand it over (then troubles are counted, too)",
    ),
    Rule(
        "PenstockShardBehind",
        "warning",
        "5m",
        "penstock_watermark_lag_seconds > 300",
        "a shard is five minutes behind the clock: a stale feed when its lag is 0, otherwise a slow flow; more than a "
        "timeframe and market.allowed_lateness should be allowed for",
    ),
    Rule(
        "PenstockInputsRefused",
        "warning",
        "10m",
        "sum by (job) (rate(penstock_dead_letters_total[15m])) > "
        '0.01 * sum by (job) (rate(penstock_records_in_total{topic=~".*(candles|trades)"}[15m]))',
        "more than 1 % of the input is refused: the topic deadletters has each with its reason",
    ),
    Rule(
        "PenstockTradesLeftOut",
        "warning",
        "10m",
        'sum by (job) (rate(penstock_trades_left_out_total{what="late"}[15m])) > '
        '0.001 * sum by (job) (rate(penstock_records_in_total{topic=~".*trades"}[15m]))',
        "more than one trade in 1,000 comes too late for its candle: raise market.bars.allowed_lateness, or look at "
        "the feed's holes",
    ),
    Rule(
        "PenstockOrdersSlow",
        "warning",
        "10m",
        "histogram_quantile(0.99, sum by (job, le) (rate(penstock_candle_to_order_seconds_bucket[15m]))) > 1",
        "one order in a hundred comes more than a second after its candle",
    ),
    Rule(
        "PenstockOnlyRefusals",
        "warning",
        "0m",
        "sum by (job) (increase(penstock_refusals_total[1h])) > 20 "
        'unless sum by (job) (increase(penstock_records_out_total{topic=~".*orders"}[1h])) > 0',
        "the gates refuse everything: the topic rejections has the figures; often a limit that is reached for good",
    ),
    Rule(
        "PenstockDrawdown",
        "critical",
        "0m",
        'penstock_drawdown_percent{mode="live"} > 10',
        "the account has fallen by more than a tenth from its peak",
    ),
    Rule(
        "PenstockBreakerTripped",
        "critical",
        "0m",
        'penstock_breaker_tripped{mode="live"} == 1',
        "a circuit breaker holds trading up: the topic breakers has the figures; penstock command resets it",
    ),
    Rule(
        "PenstockLossOfTheDay",
        "warning",
        "0m",
        'penstock_equity{mode="live"} < 0.97 * max_over_time(penstock_equity{mode="live"}[1d])',
        "the account is 3 % below its highest of the last 24 hours",
    ),
    Rule(
        "PenstockStrategyRaised",
        "critical",
        "0m",
        "penstock_strategy_errors_total > 0",
        "a strategy raised and trades a symbol no more: the alert STRATEGY_RAISED on the topic alerts has the error",
    ),
    Rule(
        "PenstockStrategySlow",
        "warning",
        "10m",
        "rate(penstock_strategy_seconds_total[5m]) > 0.5",
        "a strategy needs half of a core: soon it cannot keep up",
    ),
    Rule(
        "PenstockCriticalAlert",
        "critical",
        "0m",
        'increase(penstock_alerts_total{level="critical"}[10m]) > 0 or '
        '(penstock_alerts_total{level="critical"} unless penstock_alerts_total offset 10m)',
        "a critical record is on the topic alerts; OUTPUT_DIVERGED: what was computed again is not what it was",
    ),
    Rule(
        "PenstockTroubles",
        "warning",
        "0m",
        "increase(penstock_troubles_total[10m]) > 10",
        "an input meets errors again and again, or partitions were added, which a restart reads: the log says which",
    ),
    Rule(
        "PenstockVersionsDiffer",
        "warning",
        "15m",
        "count by (job) (count by (job, version) (penstock_build_info)) > 1",
        "processes of different versions for a quarter of an hour: an upgrade has stopped half-way",
    ),
    Rule(
        "PenstockFeedDown",
        "critical",
        "1m",
        'up{job="penstock-feed"} == 0',
        "no answer: the feed is gone, or hangs",
    ),
    Rule(
        "PenstockFeedSocketDown",
        "critical",
        "1m",
        'penstock_feed_sockets{state="down"} > 0',
        "a feed has had no connection for a minute: the alerts FEED_LOST say why",
    ),
    Rule(
        "PenstockFeedSilent",
        "critical",
        "0m",
        "penstock_feed_silence_seconds > 120",
        "a socket stands, but nothing comes on it, not even a heartbeat",
    ),
    Rule(
        "PenstockFeedReconnects",
        "warning",
        "0m",
        "increase(penstock_feed_lost_total[15m]) > 5",
        "connections are lost again and again: the alerts FEED_LOST say why",
    ),
    Rule(
        "PenstockFeedNoRecords",
        "critical",
        "5m",
        "rate(penstock_feed_frames_total[5m]) > 0 unless on (job, instance) "
        'sum by (job, instance) (rate(penstock_feed_records_total{kind!="clocks"}[5m])) > 0',
        "frames come, but no trade, quote or candle: was a subscription refused (alert FEED_REFUSED)?",
    ),
    Rule(
        "PenstockFeedStale",
        "warning",
        "0m",
        "penstock_feed_stale_streams > 0",
        "a stream of a symbol brings nothing any more: the alerts FEED_STALE name it; a quiet market, or a lost "
        "subscription",
    ),
    Rule(
        "PenstockFeedGaps",
        "warning",
        "0m",
        "increase(penstock_feed_gaps_total[1h]) > 20",
        "many holes: the line, the machine or the exchange is overloaded",
    ),
    Rule(
        "PenstockFeedLostRecords",
        "critical",
        "0m",
        'increase(penstock_feed_missed_total{outcome="lost"}[10m]) > 0 or '
        '(penstock_feed_missed_total{outcome="lost"} > 0 unless penstock_feed_missed_total offset 10m)',
        "records of the exchange are missing for good: the alerts FEED_GAP have their numbers",
    ),
    Rule(
        "PenstockFeedUnread",
        "warning",
        "0m",
        'increase(penstock_feed_noted_total{what="unparsed"}[15m]) > 10',
        "frames cannot be read: has the exchange changed them? The alerts FEED_UNPARSED show one a minute",
    ),
    Rule(
        "PenstockFeedClock",
        "warning",
        "5m",
        "abs(penstock_feed_clock_skew_seconds) > 1",
        "this machine's clock and the exchange's are a second apart: is NTP running?",
    ),
    Rule(
        "PenstockFeedUndelivered",
        "critical",
        "1m",
        "penstock_feed_undelivered > 10000",
        "Kafka does not take what the feed publishes: nothing is lost until its memory is full",
    ),
)


def rule_file() -> str:
    """The rules as a file for Prometheus's ``rule_files``."""
    lines = [
        "# Written from sinks/vitals/rules.py by `make docs`. Do not edit.",
        "groups:",
        "  - name: penstock",
        "    rules:",
    ]
    for rule in RULES:
        lines += [
            f"      - alert: {rule.name}",
            f"        expr: {_quoted(rule.expr)}",
            f"        for: {rule.wait}",
            f"        labels: {{severity: {rule.severity}}}",
            f"        annotations: {{summary: {_quoted(rule.summary)}}}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A YAML string in single quotes.

    >>> _quoted("the strategy's")
    "'the strategy''s'"
    """
    return "'" + text.replace("'", "''") + "'"
