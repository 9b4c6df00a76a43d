"""The source of the commands of one portfolio."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from confluent_kafka import Message
from pydantic import ValidationError

from connectors.kafka.decode import explain
from connectors.kafka.feed import Feed, SourceHooks
from connectors.kafka.partition import Before, Partition
from connectors.kafka.ticker import Clock
from connectors.sharding import shard_of
from schemas.command import Command
from schemas.deadletter import DeadLetter, header_text, text_of
from schemas.ids import event_id
from schemas.wire import wire
from schemas.word import Word

Item = tuple[str, Word]
ROWS = 100
INVALID = "COMMAND_INVALID"
LetterRow = wire(DeadLetter)


class CommandReader(StatefulSourcePartition[Item, int]):
    """Hands over the messages with the portfolio's name as key. State: the next offset."""

    def __init__(self, feed: Feed, number: int, portfolio: str, clock: Clock, state: int | None) -> None:
        self._portfolio, self._clock = portfolio, clock
        self._partition = Partition(feed, number, state, lambda before: _first(before, number))

    def next_batch(self) -> list[Item]:
        """What has come in the meantime. Raises OffsetLostError."""
        key = self._portfolio.encode()
        found = [message for message in self._partition.take(ROWS) if message.key() == key]
        return [(f"portfolio-{self._portfolio}", self._word(message)) for message in found]

    def _word(self, message: Message) -> Word:
        now, upto = int(self._clock() * 1_000), (message.offset() or 0) + 1
        try:
            command = Command.model_validate_json(message.value() or b"", strict=True)
        except ValidationError as wrong:
            return Word(self._partition.name, upto, now, _letter(message, explain(wrong)))
        if command.portfolio != self._portfolio:
            wrong_key = f"it is for portfolio {command.portfolio}, and its key is {self._portfolio}"
            return Word(self._partition.name, upto, now, _letter(message, wrong_key))
        return Word(self._partition.name, upto, now, command)

    def next_awake(self) -> datetime | None:
        """At once as long as there is something; a millisecond later when there was nothing."""
        return self._partition.next_awake()

    def snapshot(self) -> int:
        """The next offset."""
        return self._partition.snapshot()

    def close(self) -> None:
        """Leave the broker. The last snapshot may not be durable, so nothing is committed."""
        self._partition.close()


class CommandSource(FixedPartitionedSource[Item, int]):
    """The commands of ``portfolio``: items ``("portfolio-NAME", Word)``.

    It has one part, the partition that Kafka's default partitioner gives to the portfolio's name. Without a snapshot
    it begins where the group was, or else at the beginning: what is too old by then is answered so.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        group: str,
        topic: str,
        portfolio: str,
        hooks: SourceHooks | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._feed = Feed(dict(client), group, topic, "commands", hooks or SourceHooks())
        self._portfolio, self._clock = portfolio, clock

    def list_parts(self) -> list[str]:
        """The one part. Raises SourceError when the broker or the topic is not there."""
        return [f"{self._feed.topic}-{shard_of(self._portfolio, self._feed.partitions)}"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> CommandReader:  # noqa: ARG002
        """Go on where the snapshot was taken. Raises SourceError when the broker is not there."""
        return CommandReader(self._feed, int(for_part.rpartition("-")[2]), self._portfolio, self._clock, resume_state)


def _first(before: Before, number: int) -> int:
    return max(before.committed.get(number, before.low), before.low)


def _letter(message: Message, error: str) -> DeadLetter:
    value, key = message.value(), message.key()
    raw: str | None = None
    encoding: Any = "utf-8"
    if value is not None:
        try:
            raw = value.decode()
        except UnicodeDecodeError:
            raw, encoding = b64encode(value).decode(), "base64"
    carried: Any = message.headers() or ()
    source, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
    return LetterRow(
        id=event_id(source, partition, offset, INVALID),
        ts=max(message.timestamp()[1], 0),
        source=source,
        position=offset,
        symbol=None,
        reason=INVALID,
        error=f"{INVALID}: {error}",
        raw=raw,
        encoding=encoding,
        left_out=0,
        partition=partition,
        key=None if key is None else text_of(key),
        headers=tuple(header_text(name, content) for name, content in carried),
    )
