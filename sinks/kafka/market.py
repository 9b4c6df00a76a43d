"""Market data onto its topics: each record in the partition of its symbol, the clock in all of them.

Quotes between trades have no key, as clocks: who reads trades by their keys need not know of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.topics import TOPICS
from schemas.wire import encode
from sinks.kafka.errors import explained
from sinks.kafka.messages import message

SETTINGS: dict[str, Any] = {
    "enable.idempotence": True,  # a retry after an outage neither doubles nor reorders
    "partitioner": "murmur2_random",  # as Kafka's own clients: the partition of a symbol is its shard
    "linger.ms": 5,
    "message.timeout.ms": 0,  # the brokers may be away for long: what was seen is kept, in order
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 262_144,
}
BETWEEN = {name: frozenset(record.__name__ for record in topic.between) for name, topic in TOPICS.items()}
SERVE_EVERY = 1_000
LONGEST_WAIT_S = 0.1


class Market:
    """Publishes what a feed made. ``producer`` is made with :data:`SETTINGS`, ``partitions`` are those of ``trades``,
    and ``partition_of`` says which of them a symbol's is.

    While the brokers are away records wait in the producer; when it is full, :meth:`publish` waits, and calls ``waits``
    again and again. A record that the brokers refuse is a PublishError at the next call.
    """

    def __init__(
        self,
        producer: Producer,
        prefix: str,
        partitions: int,
        partition_of: Callable[[str, int], int],
        waits: Callable[[], None],
    ) -> None:
        self.delivered = self.sent = 0
        self._waits = waits
        self._producer, self._prefix = producer, prefix
        self._partitions, self._partition_of = partitions, partition_of
        self._failed: tuple[KafkaError, str] | None = None

    def publish(self, out: Iterable[tuple[str, Any]]) -> None:
        """Hand records to the producer, each with its topic, in order. Raises PublishError."""
        for topic, record in out:
            if type(record).__name__ in BETWEEN[topic]:
                value = encode(record)
                for partition in self._where(record):
                    self._produce(self._prefix + topic, value, None, partition=partition)
            else:
                one = message(topic, record, "", self._prefix)
                headers = [("id", one.id), ("schema", one.schema), ("traceparent", one.traceparent)]
                self._produce(one.topic, one.value, one.key, headers=headers)
        self._producer.poll(0)
        self._check()

    def _where(self, record: Any) -> Iterable[int]:
        """The partitions of what comes between the records of a topic."""
        if hasattr(record, "symbol"):
            return (self._partition_of(record.symbol, self._partitions),)
        return range(self._partitions)

    @property
    def undelivered(self) -> int:
        """How many messages the brokers have not acknowledged yet."""
        return self.sent - self.delivered

    def finish(self) -> None:
        """Wait until everything is delivered. Raises PublishError."""
        while self._producer.flush(LONGEST_WAIT_S):
            self._check()
        self._check()

    def _produce(self, topic: str, value: bytes, key: Any, **more: Any) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._on_delivery, **more)
                break
            except BufferError:
                self._waits()
                self._producer.poll(LONGEST_WAIT_S)  # the queue is bounded: wait for the brokers instead of growing
                self._check()
            except KafkaException as failed:
                self._failed = (failed.args[0], topic)
                self._check()
        self.sent += 1
        if self.sent % SERVE_EVERY == 0:
            self._producer.poll(0)
            self._check()

    def _on_delivery(self, error: KafkaError | None, about: Message) -> None:
        if error is None:
            self.delivered += 1
        elif self._failed is None:
            self._failed = (error, about.topic() or "")

    def _check(self) -> None:
        if self._failed is not None:
            raise explained(*self._failed)
