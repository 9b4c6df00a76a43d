"""The source of a live run: the topic of candles, a part for each partition."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.candle_topic import CandleTopic, Known
from schemas.batch import CandleBatch

Item = tuple[str, CandleBatch]
Start = Literal["beginning", "end"]
WITHIN_S = 10.0
IDLE = timedelta(milliseconds=5)

_quiet = logging.getLogger("penstock.librdkafka")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False

DEFAULTS: Mapping[str, Any] = {
    "fetch.queue.backoff.ms": 10,  # the local queue was full: a second, as by default, would be a hole in the stream
    "queued.max.messages.kbytes": 16_384,
    "logger": _quiet,  # what librdkafka would write to stderr comes through the hooks
    "statistics.interval.ms": 30_000,  # these tell of partitions that were added
}
MUST: Mapping[str, Any] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": False,
    # The other values go on elsewhere, silently, when what was to come next has been deleted.
    "auto.offset.reset": "error",
}


class SourceError(RuntimeError):
    """The topic cannot be read. The message says what happened and what to do."""


class OffsetLostError(SourceError):
    """What should be read next is not on the broker any more."""


class SourceState(NamedTuple):
    """Where a part goes on: the next offset, and the symbols in the order of their slots."""

    offset: int
    known: Known


def _nothing(*_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class SourceHooks:
    """What a source tells of its work; called in the process that reads, and must not raise."""

    on_rows: Callable[[str, int], None] = _nothing  # part, next offset
    on_durable: Callable[[str, int], None] = _nothing  # part, next offset of the newest durable snapshot
    on_trouble: Callable[[str, str], None] = _nothing  # part, what is wrong; it goes on by itself
    on_partitions: Callable[[str, int], None] = _nothing  # topic, partitions now: restart to read the new ones


def _ask(address: Any, question: Callable[[], Any]) -> Any:
    try:
        return question()
    except KafkaException as failed:
        raise SourceError(
            f"Kafka at {address}: {failed.args[0].str()}; start the broker, or set kafka.bootstrap_servers and "
            "kafka.client to where it is"
        ) from failed


class CandleReader(StatefulSourcePartition[Item, SourceState]):
    """Hands over one partition as it comes. An outage of the broker is told and waited for."""

    def __init__(
        self,
        client: Mapping[str, Any],
        group: str,
        topic: str,
        partitions: int,
        partition: int,
        start: Start,
        batch_rows: int,
        hooks: SourceHooks,
        state: SourceState | None,
    ) -> None:
        self.topic, self.partition, self.group = topic, partition, group
        self.columns = CandleTopic(topic, partition, state.known if state else None)
        self.part, self.hooks, self.batch_rows = self.columns.shard, hooks, batch_rows
        self._address, self._partitions, self._idle = client.get("bootstrap.servers"), partitions, False
        self._snapped: int | None = None
        self._consumer = Consumer(
            {
                **DEFAULTS,
                **client,
                **MUST,
                "group.id": group,
                "error_cb": lambda error: self.hooks.on_trouble(self.part, error.str()),
                "stats_cb": self._statistics,
                "on_commit": self._committed,
            }
        )
        try:
            self.offset = state.offset if state else _ask(self._address, lambda: self._first(start))
            self._consumer.assign([TopicPartition(topic, partition, self.offset)])
        except BaseException:
            self._consumer.close()
            raise
        hooks.on_rows(self.part, self.offset)

    def _first(self, start: Start) -> int:
        """Where to begin without a snapshot: where the group was, or else where the settings say.

        A partition that was added to a topic which the group has read before begins at its beginning: nothing in it
        has been read by anybody.
        """
        everywhere = [TopicPartition(self.topic, number) for number in range(self._partitions)]
        committed = {found.partition: found.offset for found in self._consumer.committed(everywhere, WITHIN_S)}
        if committed[self.partition] >= 0:
            return committed[self.partition]
        low, high = self._consumer.get_watermark_offsets(TopicPartition(self.topic, self.partition), WITHIN_S)
        return int(low if start == "beginning" or max(committed.values()) >= 0 else high)

    def next_batch(self) -> list[Item]:
        """What has come in the meantime; nothing when that is nothing. Raises OffsetLostError."""
        if self._snapped is not None:
            # Bytewax starts an epoch only when the one before it is durable everywhere: so the last snapshot is.
            self._commit(self._snapped)
            self._snapped = None
        messages = []
        for message in self._consumer.consume(self.batch_rows, 0):
            error = message.error()
            if error is None:
                messages.append(message)
            elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                raise self._lost(error)
            elif error.fatal():
                raise SourceError(f"{self.part}: {error.str()}; the consumer cannot go on: restart")
            else:
                self.hooks.on_trouble(self.part, error.str())
        self._idle = not messages
        if not messages:
            return []
        self.offset = (messages[-1].offset() or 0) + 1
        self.hooks.on_rows(self.part, self.offset)
        return [(self.part, self.columns.batch(messages))]

    def next_awake(self) -> datetime | None:
        """At once as long as there is something; a few milliseconds later when there was nothing."""
        return datetime.now(UTC) + IDLE if self._idle else None

    def _lost(self, error: KafkaError) -> OffsetLostError:
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(self.topic, self.partition), WITHIN_S)
            there = f"the broker has {low} to {high - 1}" if high > low else f"the broker has none, next is {high}"
        except KafkaException:
            there = f"the broker says: {error.str()}"
        return OffsetLostError(
            f"{self.part}: candles from offset {self.offset} on were to be read next, but {there}: retention has "
            "deleted them, or the topic was made anew. Candles are missing, so nothing goes on by itself. Either "
            "restore them, or begin anew: remove the state of this deployment or give it another name "
            "(kafka.deployment); kafka.start says where it then begins. A longer retention.ms of the topic allows "
            "for longer stops"
        )

    def _commit(self, offset: int) -> None:
        self.hooks.on_durable(self.part, offset)
        try:
            self._consumer.commit(offsets=[TopicPartition(self.topic, self.partition, offset)], asynchronous=True)
        except KafkaException as failed:
            self.hooks.on_trouble(self.part, f"offset {offset} of group {self.group}: {failed.args[0].str()}")

    def _committed(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        # The truth is the snapshot: a commit that fails only shows others less progress until the next one.
        if error is not None:
            self.hooks.on_trouble(self.part, f"offset {offsets[0].offset} of group {self.group}: {error.str()}")

    def _statistics(self, text: str) -> None:
        known = json.loads(text)["topics"].get(self.topic, {}).get("partitions", {})
        count = sum(int(number) >= 0 for number in known)
        if count > self._partitions:
            self._partitions = count
            self.hooks.on_partitions(self.topic, count)

    def snapshot(self) -> SourceState:
        """The next offset and the symbols, none of which changes any more."""
        self._snapped = self.offset
        return SourceState(self.offset, self.columns.known)

    def close(self) -> None:
        """Leave the broker. The last snapshot may not be durable, so nothing is committed."""
        self._consumer.close()


class CandleTopicSource(FixedPartitionedSource[Item, SourceState]):
    """One part for each partition of the topic, called ``TOPIC-NUMBER``.

    ``client`` are settings of librdkafka; those in :data:`MUST` stay as they are.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        group: str,
        topic: str = "candles",
        start: Start = "beginning",
        batch_rows: int = 10_000,
        hooks: SourceHooks | None = None,
    ) -> None:
        self.client, self.group, self.topic, self.start = dict(client), group, topic, start
        self.batch_rows, self.hooks = batch_rows, hooks or SourceHooks()
        self._count: int | None = None

    def _partitions(self) -> int:
        if self._count is None:
            address = self.client.get("bootstrap.servers")
            asking = Consumer({**DEFAULTS, **self.client, **MUST, "group.id": self.group})
            try:
                found = _ask(address, lambda: asking.list_topics(self.topic, WITHIN_S)).topics[self.topic]
            finally:
                asking.close()
            if found.error is not None or not found.partitions:
                why = found.error.str() if found.error is not None else "no partitions"
                raise SourceError(f"Kafka at {address}: topic {self.topic}: {why}; make it, or set kafka.prefix")
            self._count = len(found.partitions)
        return self._count

    def list_parts(self) -> list[str]:
        """All partitions. Raises SourceError when the broker or the topic is not there."""
        return [f"{self.topic}-{number}" for number in range(self._partitions())]

    def build_part(self, step_id: str, for_part: str, resume_state: SourceState | None) -> CandleReader:  # noqa: ARG002
        """Go on where the snapshot was taken. Raises SourceError when the broker is not there."""
        partition = int(for_part.rpartition("-")[2])
        return CandleReader(
            self.client,
            self.group,
            self.topic,
            self._partitions(),
            partition,
            self.start,
            self.batch_rows,
            self.hooks,
            resume_state,
        )
