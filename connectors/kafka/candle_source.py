"""The source of a live run: the topic of candles, a part for each partition."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from connectors.kafka.ahead import MAX_AHEAD_MS
from connectors.kafka.candle_topic import CandleTopic, Known
from connectors.kafka.feed import Feed, SourceHooks, Start
from connectors.kafka.partition import Before, Partition
from connectors.kafka.ticker import Clock, Ends, Ticker
from connectors.kafka.trade_topic import TradeTopic
from schemas.tick import Tick

Item = tuple[str, Any]
"""The name of a part with a batch of what it holds, or a tick."""


class SourceState(NamedTuple):
    """Where a part goes on: the next offset, the symbols in the order of their slots, what has been handed over."""

    offset: int
    known: Known
    upto: int


class CandleReader(StatefulSourcePartition[Item, SourceState]):
    """Hands over one partition as it comes, and says when there is nothing more just now."""

    holds: ClassVar[type[CandleTopic | TradeTopic]] = CandleTopic

    def __init__(
        self,
        feed: Feed,
        number: int,
        start: Start,
        batch_rows: int,
        ends: Ends,
        clock: Clock,
        max_ahead_ms: int,
        state: SourceState | None,
    ) -> None:
        self._columns = self.holds(feed.topic, number, state.known if state else None, max_ahead_ms=max_ahead_ms)
        self._start, self._batch_rows, self._upto = start, batch_rows, state.upto if state else 0
        self._partition = Partition(feed, number, state.offset if state else None, self._first)
        self._ticker = Ticker(self._partition, ends, clock)

    def _first(self, before: Before) -> int:
        """Where to begin without a snapshot: where the group was, or else where the settings say.

        A partition that was added to a topic which the group has read before begins at its beginning: nothing in it
        has been read by anybody.
        """
        beginning = before.low if self._start == "beginning" or before.committed else before.high
        return before.committed.get(self._columns.partition, beginning)

    def next_batch(self) -> list[Item]:
        """What has come in the meantime, or a tick, or nothing. Raises OffsetLostError."""
        messages = self._partition.take(self._batch_rows)
        if messages:
            self._upto = (messages[-1].offset() or 0) + 1
            return [(self._partition.name, self._columns.batch(messages))]
        tick = self._ticker.tick(self._upto)
        return [] if tick is None else [(self._partition.name, one) for one in self.idle(tick)]

    def idle(self, tick: Tick) -> list[Any]:
        """What to hand over when there is nothing more just now."""
        return [tick]

    def next_awake(self) -> datetime | None:
        """At once as long as there is something; a millisecond later when there was nothing."""
        return self._partition.next_awake()

    def snapshot(self) -> SourceState:
        """The next offset and the symbols, none of which changes any more."""
        return SourceState(self._partition.snapshot(), self._columns.known, self._upto)

    def close(self) -> None:
        """Leave the broker. The last snapshot may not be durable, so nothing is committed."""
        self._partition.close()


class CandleTopicSource(FixedPartitionedSource[Item, SourceState]):
    """One part for each partition of the topic, called ``TOPIC-NUMBER``: batches of candles, and ticks.

    ``client`` are settings of librdkafka; those in :data:`connectors.kafka.feed.MUST` stay as they are. ``clock``
    gives the seconds since 1970 for the ticks. ``max_ahead_ms`` is as for :mod:`connectors.kafka.ahead`.
    """

    what: ClassVar[str] = "candles"
    reader: ClassVar[type[CandleReader]] = CandleReader

    def __init__(
        self,
        client: Mapping[str, Any],
        group: str,
        topic: str = "candles",
        start: Start = "beginning",
        batch_rows: int = 10_000,
        hooks: SourceHooks | None = None,
        clock: Clock = time.time,
        max_ahead_ms: int = MAX_AHEAD_MS,
    ) -> None:
        self._feed = Feed(dict(client), group, topic, self.what, hooks or SourceHooks())
        self._start, self._batch_rows, self._clock = start, batch_rows, clock
        self._max_ahead_ms = max_ahead_ms
        self._ends = Ends(self._feed)

    def list_parts(self) -> list[str]:
        """All partitions. Raises SourceError when the broker or the topic is not there."""
        return [f"{self._feed.topic}-{number}" for number in range(self._feed.partitions)]

    def build_part(self, step_id: str, for_part: str, resume_state: SourceState | None) -> CandleReader:  # noqa: ARG002
        """Go on where the snapshot was taken. Raises SourceError when the broker is not there."""
        number = int(for_part.rpartition("-")[2])
        return self.reader(
            self._feed,
            number,
            self._start,
            self._batch_rows,
            self._ends,
            self._clock,
            self._max_ahead_ms,
            resume_state,
        )
