"""The plan of a replay from Kafka: which offsets of which partitions, fixed when it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from connectors.kafka.feed import Feed
from connectors.kafka.journal_source import Entries, whose
from connectors.kafka.stretch import Stretch, assert_there, feed_of, read, stretches, topic_id
from connectors.kafka.survey import Collected, Survey, TopicSeries, survey_candles, survey_journal
from connectors.sharding import shard_of
from flows.plan import Plan, TopicInput, code_of, with_currency
from flows.sources import stretch_of
from schemas.config.root import Config
from schemas.timeframe import LONGEST_MS, to_millis
from schemas.window import Window

Made = tuple[Plan, dict[str, TopicSeries]]


class KafkaPlanError(ValueError):
    """There is nothing on the topic that could be replayed as asked. The message says what is there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be replayed: ``written`` are --since and --until as a user wrote them, ``window`` what they mean."""

    of: Literal["candles", "journal"]
    window: Window
    written: tuple[str | None, str | None] = (None, None)


def make_kafka_plan(
    wanted: Wanted,
    config: Config,
    version: str,
    on_trouble: Callable[[str, str], None],
    earlier: Plan | None = None,
) -> Made:
    """Read what is on the topic and plan its replay. The second value holds the candles, by symbol.

    With ``earlier``, the plan of an interrupted run that wanted the same, offsets and window are those of that plan:
    what has come since is no part of the run.

    Raises SourceError when broker or topic are not there, or what was planned earlier is there no more; JournalError;
    KafkaPlanError when there is nothing to replay.
    """
    kafka = config.kafka
    feed = feed_of(kafka.settings(), kafka.deployment, kafka.topic(wanted.of), on_trouble)
    there, known = stretches(feed), topic_id(feed)
    before = [item for item in earlier.inputs if isinstance(item, TopicInput)] if earlier else []
    if earlier and (earlier.of, earlier.written, {item.topic for item in before}) == (
        *(wanted.of, wanted.written, {feed.topic}),
    ):
        assert_there(there, [stretch_of(item) for item in before], same={item.topic_id for item in before} == {known})
        wanted = Wanted(wanted.of, earlier.window, wanted.written)
        there = [stretch_of(item) for item in before]
    collected = Collected()
    survey = _candles if wanted.of == "candles" else _journal
    notes, surveys = survey(feed, there, wanted, config, collected)
    inputs = tuple(
        TopicInput(
            topic=feed.topic,
            topic_id=known,
            partition=one.stretch.partition,
            begin=one.stretch.begin,
            end=one.stretch.end,
            rows=one.rows,
            timeframes=one.timeframes,
            notes=notes,
        )
        for one in surveys
    )
    series = {symbol: one for symbol, one in sorted(collected.series().items()) if len(one)}
    plan = Plan(
        of=wanted.of,
        config=with_currency(config, sorted(series)),
        inputs=inputs,
        version=version,
        code=code_of(config),
        window=wanted.window,
        written=wanted.written,
    )
    return plan, series


Surveyed = tuple[tuple[str, ...], Sequence[Survey]]


def _candles(feed: Feed, there: Sequence[Stretch], wanted: Wanted, config: Config, into: Collected) -> Surveyed:
    most = to_millis(config.market.max_ahead)
    surveys = [survey_candles(feed, one, wanted.window, into, most) for one in there]
    if not any(one.timeframes for one in surveys):
        found, ahead = _everything(feed, there, most), _everything(feed, there, LONGEST_MS)
        if ahead and not found:
            raise KafkaPlanError(
                f"Kafka at {feed.address}: all candles on {feed.topic} close more than market.max_ahead "
                f"({config.market.max_ahead}) behind the timestamps of their messages, which seem to be no times of "
                "sending: --set market.max_ahead=36500d takes them all the same"
            )
        raise _nothing(feed, found, wanted.window)
    return (), surveys


def _everything(feed: Feed, there: Sequence[Stretch], max_ahead_ms: int) -> Mapping[str, TopicSeries]:
    into = Collected()
    for one in there:
        survey_candles(feed, one, Window(), into, max_ahead_ms)
    return {symbol: series for symbol, series in into.series().items() if len(series)}


def _journal(feed: Feed, there: Sequence[Stretch], wanted: Wanted, config: Config, into: Collected) -> Surveyed:
    name, kafka = config.portfolio.name, config.kafka
    (stretch,) = (one for one in there if one.partition == shard_of(name, feed.partitions))
    found = survey_journal(feed, stretch, Entries(name, kafka.group), wanted.window, into)
    if not found.entries:
        raise _no_entries(feed, there, name, kafka.deployment)
    unknown = sorted(found.strategies - {strategy.label for strategy in config.strategies})
    if unknown:
        raise KafkaPlanError(
            f"{stretch.name} holds signals of {', '.join(unknown)}, which the configuration does not name: give the "
            "configuration of the run that made them, with --config"
        )
    if not any(len(one) for one in into.series().values()):
        everything = Collected()
        survey_journal(feed, stretch, Entries(name, kafka.group), Window(), everything)
        raise _nothing(feed, everything.series(), wanted.window)
    gone = f"entries before offset {stretch.begin} are gone by retention: the account begins without a position behind"
    return (() if stretch.begin == 0 else (f"{gone} them",)), [found.survey]


def _no_entries(feed: Feed, there: Sequence[Stretch], portfolio: str, deployment: str) -> KafkaPlanError:
    others = sorted({whose(message) for one in there for messages in read(feed, one) for message in messages})
    known = f"there are entries of {', '.join(others)}" if others else "it is empty"
    return KafkaPlanError(
        f"Kafka at {feed.address}: {feed.topic} has no entries of portfolio {portfolio} of deployment {deployment}; "
        f"{known}. portfolio.name and kafka.deployment say whose are replayed"
    )


def _nothing(feed: Feed, series: Mapping[str, TopicSeries], window: Window) -> KafkaPlanError:
    times = [ts for one in series.values() if len(one) for ts in (int(one.ts.min()), int(one.ts.max()))]
    if not times:
        return KafkaPlanError(
            f"Kafka at {feed.address}: {feed.topic} holds no candles: penstock publish puts some there"
        )
    since = f" after {_time(window.since)}" if window.since != Window().since else ""
    until = f" until {_time(window.until)}" if window.until != Window().until else ""
    return KafkaPlanError(
        f"Kafka at {feed.address}: {feed.topic} has no candle that closes{since}{until}: the first there is closes at "
        f"{_time(min(times))}, the last at {_time(max(times))}"
    )


def _time(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1_000, UTC).isoformat().replace("+00:00", "Z")
