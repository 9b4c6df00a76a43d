"""All metrics of a live process: the one place where they are defined. docs/monitoring.md is written from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# An epoch ends every run.checkpoint_every_s, 10 s unless set otherwise.
EPOCH_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 12.5, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0)
ORDER_BUCKETS = (
    *(0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric. ``buckets`` are the upper bounds of a histogram, in seconds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query can ask for.

        >>> METRICS["penstock_epoch_seconds"].series
        ('penstock_epoch_seconds_bucket', 'penstock_epoch_seconds_sum', 'penstock_epoch_seconds_count')
        """
        if self.kind != "histogram":
            return (self.name,)
        return tuple(f"{self.name}_{end}" for end in ("bucket", "sum", "count"))


METRICS: dict[str, Definition] = {
    metric.name: metric
    for metric in (
        Definition(
            "penstock_records_in_total",
            "counter",
            ("topic", "partition"),
            "Offsets read from an input partition: records, and the markers of transactions",
        ),
        Definition("penstock_records_out_total", "counter", ("topic",), "Records committed to an output topic"),
        Definition(
            "penstock_consumer_lag",
            "gauge",
            ("topic", "partition"),
            "Offsets between the next one to be read and the end of the partition",
        ),
        Definition(
            "penstock_watermark_lag_seconds",
            "gauge",
            ("shard",),
            "Wall clock minus the event time that the shard has reached",
        ),
        Definition(
            "penstock_commit_age_seconds",
            "gauge",
            (),
            "Seconds since the last durable snapshot, or since the start before the first; of the oldest input part",
        ),
        Definition(
            "penstock_epoch_seconds",
            "histogram",
            (),
            "Seconds from one durable snapshot of an input part to the next",
            EPOCH_BUCKETS,
        ),
        Definition(
            "penstock_dead_letters_total",
            "counter",
            ("reason",),
            "Inputs that could not be used; ROW_LATE and ROW_DUPLICATE are the late and the duplicate rows",
        ),
        Definition(
            "penstock_candle_to_order_seconds",
            "histogram",
            (),
            "Seconds from the arrival of a candle on its topic to its order being committed; of several processes each "
            "tells of the candles that it reads, computes and decides upon itself",
            ORDER_BUCKETS,
        ),
        Definition("penstock_refusals_total", "counter", ("code",), "Wishes that a gate refused, shadows included"),
        Definition(
            "penstock_equity",
            "gauge",
            ("mode", "strategy"),
            "Equity in account currency at the last record of the equity topic; strategy is empty for the live account",
        ),
        Definition(
            "penstock_drawdown_percent",
            "gauge",
            ("mode", "strategy"),
            "Deepest fall below the running peak of equity in the last record's interval; 1.0 = 1 %",
        ),
        Definition(
            "penstock_breaker_tripped",
            "gauge",
            ("breaker", "scope", "mode", "strategy"),
            "1 while a circuit breaker holds trading up, 0 after its reset; strategy is empty for the live account",
        ),
        Definition("penstock_strategy_seconds_total", "counter", ("strategy",), "Seconds spent inside a strategy"),
        Definition(
            "penstock_strategy_errors_total",
            "counter",
            ("strategy",),
            "Times that a strategy raised; each time it was quarantined on one symbol",
        ),
        Definition(
            "penstock_trades_left_out_total",
            "counter",
            ("what", "symbol"),
            "Trades that are in no candle: late, or duplicate (their id came before); told when their minute is over",
        ),
        Definition("penstock_alerts_total", "counter", ("code", "level"), "Records for the topic of alerts"),
        Definition(
            "penstock_troubles_total",
            "counter",
            ("part",),
            "What went wrong at an input part, by itself to be overcome; or partitions were added to a topic",
        ),
        Definition("penstock_build_info", "gauge", ("version",), "1, with the version that runs"),
    )
}

FEED_METRICS: dict[str, Definition] = {
    metric.name: metric
    for metric in (
        Definition("penstock_feed_frames_total", "counter", ("exchange",), "Frames that came on the sockets"),
        Definition(
            "penstock_feed_records_total", "counter", ("exchange", "kind"), "Trades, quotes, candles and clocks made"
        ),
        Definition("penstock_feed_sockets", "gauge", ("exchange", "state"), "Sockets that are up, and that are down"),
        Definition(
            "penstock_feed_silence_seconds", "gauge", ("exchange",), "Since the last frame, of the most silent socket"
        ),
        Definition("penstock_feed_lost_total", "counter", ("exchange",), "Connections that were lost"),
        Definition(
            "penstock_feed_gaps_total",
            "counter",
            ("exchange", "records"),
            "Holes found in trades or candles, and closed",
        ),
        Definition(
            "penstock_feed_missed_total",
            "counter",
            ("exchange", "records", "outcome"),
            "Records that no socket brought: filled from the exchange's history, or lost",
        ),
        Definition(
            "penstock_feed_noted_total",
            "counter",
            ("exchange", "what"),
            "Of each minute: duplicates, reordered, corrected, ahead, unparsed, refused, unanswered",
        ),
        Definition(
            "penstock_feed_clock_skew_seconds",
            "gauge",
            ("exchange",),
            "The exchange's clock less this machine's, and less the shortest way of a frame",
        ),
        Definition(
            "penstock_feed_stale_streams", "gauge", ("exchange",), "Streams of a symbol that bring nothing any more"
        ),
        Definition("penstock_feed_undelivered", "gauge", ("exchange",), "Messages that Kafka has not acknowledged yet"),
    )
}
"""Those of ``penstock feed``, which has ``penstock_alerts_total`` and ``penstock_build_info``, too."""
