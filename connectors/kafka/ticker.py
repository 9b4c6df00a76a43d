"""Ticks of a partition that has been read to its end, each confirmed by the broker."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import cached_property
from time import monotonic

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec

from connectors.kafka.feed import DEFAULTS, Feed
from connectors.kafka.partition import Partition
from schemas.tick import Tick

EVERY_S = 1.0
WITHIN_S = 1.0
Clock = Callable[[], float]


class Ends:
    """Asks where partitions end, without waiting for the answer.

    It has a connection of its own: on that of a consumer the question would stand behind the fetch that waits for new
    messages, for half a second.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    @cached_property
    def _admin(self) -> AdminClient:
        # What librdkafka 2.16 remembers of a leader before it went is not corrected by the refusal of the next one
        # (FENCED_LEADER_EPOCH): so it may not remember it for long.
        return AdminClient({**DEFAULTS, **self._feed.client, "metadata.max.age.ms": 1_000})

    def ask(self, number: int) -> Future[ListOffsetsResultInfo]:
        """The offset behind the last message of a partition that a reader of committed ones may see now."""
        self._admin.poll(0)  # takes what librdkafka has logged off its queue
        at = TopicPartition(self._feed.topic, number)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        committed = IsolationLevel.READ_COMMITTED
        asked = self._admin.list_offsets({at: latest}, isolation_level=committed, request_timeout=WITHIN_S)
        found: Future[ListOffsetsResultInfo] = asked[at]
        return found


class Ticker:
    """At most one tick a second, while the broker has nothing that the reader has not handed over."""

    def __init__(self, partition: Partition, ends: Ends, clock: Clock) -> None:
        self._partition, self._ends, self._clock = partition, ends, clock
        self._question: Future[ListOffsetsResultInfo] | None = None
        self._asked_ms, self._next = 0, 0.0

    def tick(self, upto: int) -> Tick | None:
        """A tick when there is a fresh answer, and the partition ends where the reader is. To be asked when idle."""
        if self._partition.end is None:
            return None
        if self._question is None:
            if monotonic() >= self._next:
                # The time of asking: the answer is younger, so nothing had come until then.
                self._next, self._asked_ms = monotonic() + EVERY_S, int(self._clock() * 1_000)
                self._question = self._ends.ask(self._partition.number)
            return None
        if not self._question.done():
            return None
        answer, self._question = self._question, None
        if answer.exception() is not None or answer.result().offset != self._partition.end:
            return None
        return Tick(self._partition.name, upto, self._asked_ms)
