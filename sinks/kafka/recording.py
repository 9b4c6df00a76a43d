"""A recording onto a topic: in order, each message once, delivery of every one checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.candle import Candle
from schemas.clock import Clock
from schemas.trade import Trade
from schemas.wire import encode

SETTINGS: dict[str, Any] = {
    "enable.idempotence": True,  # a retry after an outage neither doubles nor reorders
    "partitioner": "murmur2_random",  # as Kafka's own clients: the partition of a symbol is its shard
    "linger.ms": 5,
}
SERVE_EVERY = 1_000
LONGEST_WAIT_S = 0.1


class RecordingError(RuntimeError):
    """The broker did not take all of a recording. The message says how much it took."""


class Recording:
    """Publishes candles or trades with their symbol as key, and clocks without one on each of ``partitions``.

    ``producer`` is made with :data:`SETTINGS`. ``delivered`` counts what is no clock.

    A message's timestamp is the time of publishing, not that of the candle: a topic deletes by it, and an old recording
    would be gone before anybody read it.
    """

    def __init__(
        self, producer: Producer, topic: str, clock: Callable[[], float] = monotonic, partitions: int = 0
    ) -> None:
        self.topic, self.delivered, self.sent = topic, 0, 0
        self._clocks, self._partitions = 0, partitions
        self._producer, self._clock = producer, clock
        self._failed: KafkaError | None = None

    def publish(self, records: Iterable[Candle | Trade | Clock], speed: float | None = None) -> int:
        """Publish records (of :func:`~schemas.wire.wire`), and wait until each is delivered. Returns how many.

        ``speed``: event time in wall time, 60 for a minute in a second; None for as fast as the broker takes them.

        Raises RecordingError when the broker did not take one; those behind it may have been delivered or not.
        """
        began, first = self._clock(), None
        for record in records:
            if speed is not None:
                first = record.ts if first is None else first
                self._wait_until(began + (record.ts - first) / 1_000 / speed)
            symbol, value = getattr(record, "symbol", None), encode(record)
            if symbol is not None:
                self._produce(value, symbol)
            else:
                for partition in range(self._partitions):
                    self._produce(value, None, partition=partition)
        return self.finish()

    def finish(self) -> int:
        """Wait for what is on its way. Returns how many were delivered in all; raises RecordingError."""
        while self._producer.flush(LONGEST_WAIT_S):
            self._check()
        self._check()
        taken = self.delivered + self._clocks
        if taken != self.sent:
            raise RecordingError(f"{self.topic}: {self.sent} messages sent, but only {taken} acknowledged")
        return self.delivered

    def _wait_until(self, due: float) -> None:
        while (left := due - self._clock()) > 0:
            self._producer.poll(min(left, LONGEST_WAIT_S))
            self._check()

    def _produce(self, value: bytes, key: str | None, **where: Any) -> None:
        while True:
            try:
                self._producer.produce(self.topic, value, key, on_delivery=self._on_delivery, **where)
                break
            except BufferError:
                self._producer.poll(LONGEST_WAIT_S)  # the queue is bounded: wait for the broker instead of growing
                self._check()
            except KafkaException as failed:
                self._failed = failed.args[0]
                self._check()
        self.sent += 1
        if self.sent % SERVE_EVERY == 0:
            self._producer.poll(0)
            self._check()

    def _on_delivery(self, error: KafkaError | None, about: Message) -> None:
        if error is None:
            self.delivered += about.key() is not None
            self._clocks += about.key() is None
        elif self._failed is None:
            self._failed = error

    def _check(self) -> None:
        if self._failed is not None:
            raise RecordingError(
                f"{self.topic}: {self.delivered:,} delivered, then: {self._failed.str()}; "
                "to publish again from the start, use a new topic or prefix"
            )
