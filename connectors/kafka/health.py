"""What only the broker can tell about the health of an installation: its clock, and the lag of the consumer group."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import NewTopic, OffsetSpec

from connectors.kafka.admin import Topics
from connectors.kafka.connection import REQUEST_S, STARTING, WITHIN_S
from schemas.topics import TOPICS

NEW = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
)
"""What a broker says of a partition that was made a moment ago."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class ClockDifference:
    """How far the broker's clock is ahead of ours, ms, give or take ``within_ms``."""

    ahead_ms: float
    within_ms: float


def clock_difference(topics: Topics) -> ClockDifference:
    """Ask the broker for its time: a message to a topic of its own that stamps what arrives, removed afterwards.

    Kafka's protocol has no question for the time; ``message.timestamp.type=LogAppendTime`` answers it. As in NTP
    (RFC 5905, section 8) the answer is compared with the middle of sending and acknowledgement.

    Raises BrokerError when the topic cannot be made or written.
    """
    name = topics.kafka.topic(f"doctor-{uuid4().hex[:8]}")
    settings = {"message.timestamp.type": "LogAppendTime", "retention.ms": "60000"}
    new = NewTopic(name, num_partitions=1, replication_factor=topics.kafka.replication or -1, config=settings)
    topics.answer(topics.admin.create_topics([new], request_timeout=REQUEST_S)[name])
    try:
        timeout = {"message.timeout.ms": int(REQUEST_S * 1_000), "linger.ms": 0}
        producer = topics.connection.client(Producer, timeout)
        stamped(topics, producer, name)  # finds the leader and connects
        return min((stamped(topics, producer, name) for _ in range(3)), key=lambda one: one.within_ms)
    finally:
        topics.answer(topics.admin.delete_topics([name], request_timeout=REQUEST_S)[name])


def stamped(topics: Topics, producer: Producer, name: str) -> ClockDifference:
    """One message to and fro."""
    answers: list[tuple[float, int]] = []
    errors: list[KafkaError] = []

    def answered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            errors.append(error)
        else:
            answers.append((time.time() * 1_000, message.timestamp()[1]))

    sent = time.time() * 1_000
    producer.produce(name, b"", on_delivery=answered)
    producer.flush(2 * REQUEST_S)
    if errors or not answers:
        raise topics.connection.error(KafkaException(errors[0] if errors else KafkaError(KafkaError._TIMED_OUT)))
    back, broker = answers[0]
    # The broker's stamp is a whole millisecond, so half of one is added to it and to the uncertainty.
    return ClockDifference(broker + 0.5 - (sent + back) / 2, (back - sent) / 2 + 0.5)


@dataclass(frozen=True, slots=True)
class Lag:
    """One partition: what the group has committed (None: nothing yet), and what is there."""

    topic: str
    partition: int
    committed: int | None
    first: int
    end: int

    @property
    def records(self) -> int:
        """How many are still to be read."""
        return 0 if self.committed is None else max(0, self.end - self.committed)

    @property
    def lost(self) -> int:
        """How many were deleted before they were read."""
        return 0 if self.committed is None else max(0, self.first - self.committed)


def lag(topics: Topics) -> list[Lag]:
    """The lag of the installation's consumer group on each partition that it has committed, and on the market's."""
    sizes = topics.names()
    there = {topics.kafka.topic(name): topic.direction for name, topic in TOPICS.items()}
    parts = {(name, number): there[name] for name in there for number in range(sizes.get(name, 0))}
    committed = _committed(topics, [TopicPartition(*at) for at in parts])
    wanted = {at for at, direction in parts.items() if direction == "in" or at in committed}
    first = _offsets(topics, wanted, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
    end = _offsets(topics, wanted, OffsetSpec.latest())  # type: ignore[no-untyped-call]
    return [Lag(*at, committed.get(at), first[at], end[at]) for at in sorted(wanted)]


def _committed(topics: Topics, wanted: list[TopicPartition]) -> dict[tuple[str, int], int]:
    """What the group has committed.

    A consumer asks, which joins nothing. ``AdminClient.list_consumer_group_offsets`` ends the process with a
    segmentation fault when the broker is not the coordinator of the group, or not yet (librdkafka issue 5040, open in
    2.16).
    """
    if not wanted:
        return {}
    consumer = topics.connection.client(Consumer, {"group.id": topics.kafka.group, "enable.auto.commit": False})
    try:
        known = _patiently(topics, lambda: consumer.committed(wanted, REQUEST_S))
    finally:
        consumer.close()
    return {(one.topic, one.partition): one.offset for one in known if one.offset >= 0}


def _offsets(topics: Topics, parts: set[tuple[str, int]], spec: OffsetSpec) -> dict[tuple[str, int], int]:
    if not parts:
        return {}

    def ask() -> dict[tuple[str, int], int]:
        asked = topics.admin.list_offsets({TopicPartition(*at): spec for at in parts}, request_timeout=REQUEST_S)
        return {(at.topic, at.partition): future.result().offset for at, future in asked.items()}

    return _patiently(topics, ask)


def _patiently(topics: Topics, ask: Callable[[], Answer]) -> Answer:
    """The answer. A broker, or a topic, that is just coming up is asked again until it knows."""

    def again() -> Answer:
        until = time.monotonic() + WITHIN_S
        while True:
            try:
                return ask()
            except KafkaException as failed:
                if failed.args[0].code() not in (*STARTING, *NEW) or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    return topics.connection.ask(again)
