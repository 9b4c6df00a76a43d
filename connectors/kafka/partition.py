"""One partition, read as it comes: where to begin, outages, lost offsets, and what is durable."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.feed import WITHIN_S, Feed, OffsetLostError, SourceError

IDLE = timedelta(milliseconds=1)
"""A message waits half of this for being asked for. A look costs a microsecond; to wake up Bytewax costs the rest."""

TOLD_S = 10.0


class Before(NamedTuple):
    """What the broker says before a partition is read.

    ``committed`` are the group's offsets by partition of the topic; ``low`` is the first offset that is there, and
    ``high`` the next that will be.
    """

    committed: dict[int, int]
    low: int
    high: int


class Partition:
    """Hands over the messages of one partition. An outage of the broker is told and waited for.

    It begins at ``offset``, or without one where ``first`` says. Raises SourceError when the broker is not there.
    """

    def __init__(self, feed: Feed, number: int, offset: int | None, first: Callable[[Before], int]) -> None:
        self.feed, self.number, self.name = feed, number, f"{feed.topic}-{number}"
        self.end: int | None = None
        """Where the partition ends, when all of it has been handed over."""
        self._partitions, self._idle = feed.partitions, False
        self._snapped: int | None = None
        self._told: dict[str, float] = {}
        self._consumer = feed.consumer(
            {
                "error_cb": self._error,
                "stats_cb": self._statistics,
                "on_commit": self._committed,
            }
        )
        try:
            self.offset = feed.ask(lambda: first(self._before())) if offset is None else offset
            self._consumer.assign([self._at(self.offset)])
        except BaseException:
            self._consumer.close()
            raise
        feed.hooks.on_rows(self.name, self.offset)
        feed.hooks.lags.add(self.name, self._lag)

    def _at(self, offset: int) -> TopicPartition:
        return TopicPartition(self.feed.topic, self.number, offset)

    def _before(self) -> Before:
        everywhere = [TopicPartition(self.feed.topic, number) for number in range(self._partitions)]
        found = self._consumer.committed(everywhere, WITHIN_S)
        committed = {one.partition: one.offset for one in found if one.offset >= 0}
        return Before(committed, *self._consumer.get_watermark_offsets(self._at(0), WITHIN_S))

    def take(self, count: int) -> list[Message]:
        """What has come in the meantime; nothing when that is nothing. Raises OffsetLostError."""
        if self._snapped is not None:
            # Bytewax starts an epoch only when the one before it is durable everywhere: so the last snapshot is.
            self._commit(self._snapped)
            self._snapped = None
        messages: list[Message] = []
        end, end_behind = self.end, 0
        for message in self._consumer.consume(count, 0):
            error = message.error()
            if error is None:
                messages.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                end, end_behind = message.offset(), len(messages)
            else:
                self._wrong(error)
        self._idle = not messages
        self.end = end if end_behind == len(messages) else None
        before, self.offset = self.offset, (messages[-1].offset() or 0) + 1 if messages else self.offset
        if self.end is not None:
            # Behind the last message there may be marks of transactions. Once these are deleted for their age, an
            # offset before them would count as lost.
            self.offset = max(self.offset, self.end)
        if self.offset != before:
            self.feed.hooks.on_rows(self.name, self.offset)
        return messages

    def next_awake(self) -> datetime | None:
        """At once as long as there is something; a millisecond later when there was nothing."""
        return datetime.now(UTC) + IDLE if self._idle else None

    def _wrong(self, error: KafkaError) -> None:
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            raise self._lost(error)
        if error.fatal():
            why = self.feed.without_secrets(error.str())
            raise SourceError(f"{self.name}: {why}; the consumer cannot go on: restart")
        self._trouble(error.str())

    def _lost(self, error: KafkaError) -> OffsetLostError:
        try:
            low, high = self._consumer.get_watermark_offsets(self._at(0), WITHIN_S)
            there = f"the broker has {low} to {high - 1}" if high > low else f"the broker has none, next is {high}"
        except KafkaException:
            there = f"the broker says: {self.feed.without_secrets(error.str())}"
        what = self.feed.what
        return OffsetLostError(
            f"{self.name}: {what} from offset {self.offset} on were to be read next, but {there}: retention has "
            f"deleted them, or the topic was made anew. {what.capitalize()} are missing, so nothing goes on by itself. "
            "Either restore them, or begin as somebody else, with another kafka.deployment and portfolio.name; "
            "kafka.start says where that begins. A longer retention.ms of the topic allows for longer stops"
        )

    def _error(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # which is said beside why
            self._trouble(self.feed.told(error))

    def _trouble(self, text: str) -> None:
        """Tell it. In an outage librdkafka says the same twenty times a second, which is told once in a while."""
        what, now = text.partition(" (")[0], monotonic()
        self._told = {told: at for told, at in self._told.items() if now - at < TOLD_S}
        if what not in self._told:
            self._told[what] = now
            self.feed.hooks.on_trouble(self.name, self.feed.without_secrets(text))

    def _commit(self, offset: int) -> None:
        self.feed.hooks.on_durable(self.name, offset)
        try:
            self._consumer.commit(offsets=[self._at(offset)], asynchronous=True)
        except KafkaException as failed:
            self._trouble(f"offset {offset} of group {self.feed.group}: {failed.args[0].str()}")

    def _committed(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        # The truth is the snapshot: a commit that fails only shows others less progress until the next one.
        if error is not None:
            self._trouble(f"offset {offsets[0].offset} of group {self.feed.group}: {error.str()}")

    def _statistics(self, text: str) -> None:
        known = json.loads(text)["topics"].get(self.feed.topic, {}).get("partitions", {})
        count = sum(int(number) >= 0 for number in known)
        if count > self._partitions:
            self._partitions = count
            self.feed.hooks.on_partitions(self.feed.topic, count)

    def _lag(self) -> int | None:
        try:
            _, high = self._consumer.get_watermark_offsets(self._at(0), cached=True)
        except KafkaException:
            return None
        return max(0, high - self.offset) if high >= 0 else None

    def snapshot(self) -> int:
        """The next offset."""
        self._snapped = self.offset
        return self.offset

    def close(self) -> None:
        """Leave the broker. The last snapshot may not be durable, so nothing is committed."""
        self.feed.hooks.lags.remove(self.name)
        self._consumer.close()
