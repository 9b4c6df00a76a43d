"""Where the partitions end, and what of ours stands before these ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from sinks.kafka.checkpoint import Offsets
from sinks.kafka.errors import TRANSIENT, explained
from sinks.kafka.owed import Owed

TIMEOUT_S = 30.0
BATCH = 10_000
SAY_EVERY_S = 10.0
Found = TypeVar("Found")

QUIET = logging.getLogger("penstock.librdkafka")
"""For what librdkafka would write to stderr, twenty lines a second in an outage: its errors are told in our words."""
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


class Ends:
    """Asks where the partitions of some topics end, all of them with one request."""

    def __init__(self, client: dict[str, Any], topics: Sequence[str], log: logging.Logger) -> None:
        self._topics, self._log, self._address = tuple(topics), log, client.get("bootstrap.servers")
        self._admin = AdminClient({**client, "socket.nagle.disable": True}, logger=QUIET)
        self._partitions: list[TopicPartition] = []

    def _find(self) -> list[TopicPartition]:
        found = self._persist(lambda: self._admin.list_topics(timeout=TIMEOUT_S).topics)
        partitions = []
        for topic in self._topics:
            if topic not in found:
                raise explained(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), topic)
            error = found[topic].error
            if error is not None:
                raise explained(error, topic)
            partitions += [TopicPartition(topic, partition) for partition in found[topic].partitions]
        return partitions

    def now(self) -> Offsets:
        """One past the last offset of each partition, open transactions included. Raises PublishError.

        A partition that is added later is not asked for: a successor reads it from its beginning.
        """
        self._partitions = self._partitions or self._find()
        return self._persist(self._ask)

    def _ask(self) -> Offsets:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = dict.fromkeys(self._partitions, latest)
        level = IsolationLevel.READ_UNCOMMITTED
        found = self._admin.list_offsets(wanted, isolation_level=level, request_timeout=TIMEOUT_S)
        return {(at.topic, at.partition): future.result().offset for at, future in found.items()}

    def _persist(self, ask: Callable[[], Found]) -> Found:
        while True:
            try:
                return ask()
            except KafkaException as failed:
                error: KafkaError = failed.args[0]
                if error.code() not in TRANSIENT:
                    raise
                self._refresh(error.str())

    def _refresh(self, why: str) -> None:
        """Ask anew who leads which partition, which a broker that was started again wants to be known."""
        self._admin.poll(0.1)
        try:
            self._admin.list_topics(timeout=1.0)
        except KafkaException as failed:
            why = failed.args[0].str()
        self._log.warning("Kafka at %s does not answer (%s): it is waited for, and nothing is lost", self._address, why)


def read_back(
    client: Mapping[str, Any],
    name: str,
    behind: Mapping[tuple[str, int], tuple[int, int]],
    owed: Owed,
    log: logging.Logger,
) -> None:
    """Read partitions from one offset to another, and remember in ``owed`` what the part ``name`` put there.

    Records of aborted transactions are left out. Waits until every transaction that was open has ended.
    """
    until = {at: end for at, (_, end) in behind.items()}
    consumer = Consumer(_reader(client, name), logger=QUIET)
    said = time.monotonic()
    try:
        consumer.assign([TopicPartition(*at, start) for at, (start, _) in behind.items()])
        while until:
            for message in consumer.consume(1, 0.1) + consumer.consume(BATCH, 0):
                _take(message, name.encode(), until, owed)
            if time.monotonic() > said + SAY_EVERY_S:
                said = time.monotonic()
                log.warning("%s: reading back, behind open transactions of others maybe, on %s", name, sorted(until))
    finally:
        consumer.close()


def _reader(client: Mapping[str, Any], name: str) -> dict[str, Any]:
    ours = ("enable.idempotence", "partitioner", "linger.ms", "transaction.timeout.ms")  # settings of a producer
    return {
        **{key: value for key, value in client.items() if key not in ours},
        "group.id": f"{name}.read-back",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }


def _take(message: Message, name: bytes, until: Offsets, owed: Owed) -> None:
    at, error = (message.topic() or "", message.partition() or 0), message.error()
    if error is None:
        headers: dict[str, Any] = dict(message.headers() or ())
        if headers.get("part") != name:
            pass
        elif "upto" in headers:
            owed.said(headers["shard"].decode(), int(headers["upto"]))
        else:
            value: Any = message.value()
            owed.found(at[0], headers["id"].decode(), value)
    elif error.code() in TRANSIENT:
        return
    elif error.code() != KafkaError._PARTITION_EOF:
        raise explained(error, at[0])
    # To a reader the partition ends where the oldest open transaction of anybody begins. Behind it may lie committed
    # records of ours, so only the real end will do: that transaction ends, or times out. Markers of transactions,
    # which nobody gets to see, may be the last there is: then the end is told by its offset.
    if (message.offset() or 0) + (error is None) >= until.get(at, 0):
        until.pop(at, None)
