"""Reading a topic for a person: the last messages, all of them, or from an offset on; committed ones only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.connection import WITHIN_S, Connection

BATCH = 500
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as it is on the topic. ``ts``: the broker's or producer's time, epoch ms; -1 when there is none."""

    topic: str
    partition: int
    offset: int
    ts: int
    key: bytes | None
    id: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def order(self) -> tuple[int, int, int]:
        """Sorts messages of several partitions by time."""
        return self.ts, self.partition, self.offset


class Tail:
    """Reads all partitions of a topic without joining a group or committing anything."""

    def __init__(self, connection: Connection, topic: str) -> None:
        self.topic, self._connection = topic, connection
        settings = {
            "group.id": f"{connection.kafka.deployment}.tail",  # librdkafka wants one; nothing is committed under it
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,  # the end of a partition is told when the broker stops waiting for more
            "auto.offset.reset": "earliest",
        }
        self._consumer: Consumer = connection.client(Consumer, settings)
        self.ranges = connection.ask(self._ranges)
        self._next: dict[int, int] = {}

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _ranges(self) -> dict[int, tuple[int, int]]:
        partitions = self._consumer.list_topics(self.topic, WITHIN_S).topics[self.topic].partitions
        return {
            number: self._consumer.get_watermark_offsets(TopicPartition(self.topic, number), WITHIN_S)
            for number in sorted(partitions)
        }

    def last(self, count: int) -> list[Seen]:
        """The last ``count`` messages of all partitions together, by time."""
        window = count
        while True:
            starts = {number: max(low, high - window) for number, (low, high) in self.ranges.items()}
            seen = list(self.until_end(starts))
            # Markers of transactions take offsets, too, so a partition may show fewer messages than were asked for.
            short = [
                number
                for number, (low, _) in self.ranges.items()
                if starts[number] > low and sum(one.partition == number for one in seen) < count
            ]
            if not short:
                return sorted(seen, key=lambda one: one.order)[-count:] if count else []
            window *= 4

    def until_end(self, starts: dict[int, int]) -> Iterator[Seen]:
        """The messages from these offsets to where the partitions end now."""
        self._assign(starts)
        left = set(starts)
        while left:
            for message in self._consume():
                number = message.partition()
                assert number is not None
                if message.error() is not None:
                    left.discard(number)
                else:
                    yield self._seen(message)

    def follow(self) -> Iterator[Seen | None]:
        """What comes behind the messages that were read so far, for ever; None whenever there is nothing for now."""
        self._assign({number: self._next[number] for number in self.ranges})
        while True:
            messages = [message for message in self._consume() if message.error() is None]
            yield from map(self._seen, messages)
            if not messages:
                yield None

    def skip(self, starts: dict[int, int]) -> None:
        """Let :meth:`follow` begin at these offsets."""
        self._next = dict(starts)

    def starts(self, start: str) -> dict[int, int]:
        """The first offset of each partition for ``beginning``, ``end`` or a number, cut to what is there."""
        if start == "beginning":
            return {number: low for number, (low, _) in self.ranges.items()}
        if start == "end":
            return {number: high for number, (_, high) in self.ranges.items()}
        return {number: min(max(low, int(start)), high) for number, (low, high) in self.ranges.items()}

    def since(self, millis: int) -> dict[int, int]:
        """The first offset of each partition whose message is of that time (epoch ms) or a later one."""
        wanted = [TopicPartition(self.topic, number, millis) for number in self.ranges]
        found = self._connection.ask(lambda: self._consumer.offsets_for_times(wanted, WITHIN_S))
        return {at.partition: at.offset if at.offset >= 0 else self.ranges[at.partition][1] for at in found}

    def _assign(self, starts: dict[int, int]) -> None:
        self._next = dict(starts)
        self._consumer.assign([TopicPartition(self.topic, number, offset) for number, offset in starts.items()])

    def _consume(self) -> list[Message]:
        # One to wait for, and what has come with it: to wait for a whole batch would be to wait in vain at the end.
        messages = self._consumer.consume(1, POLL_S)
        messages += self._consumer.consume(BATCH, 0) if messages else []
        for message in messages:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise self._connection.error(KafkaException(error))
        return messages

    def _seen(self, message: Message) -> Seen:
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        self._next[partition] = offset + 1
        carried: Any = message.headers() or ()
        headers = tuple((name, _bytes(value)) for name, value in carried)
        return Seen(
            topic=self.topic,
            partition=partition,
            offset=offset,
            ts=message.timestamp()[1],
            key=_bytes(message.key()),
            id=dict(headers).get("id"),
            value=_bytes(message.value()),
            headers=headers,
        )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
