"""A recording onto a topic: in order, each message once, delivery of every one checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.candle import Candle
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
    """Publishes candles with their symbol as key. ``producer`` is made with :data:`SETTINGS`.

    A message's timestamp is the time of publishing, not that of the candle: a topic deletes by it, and an old recording
    would be gone before anybody read it.
    """

    def __init__(self, producer: Producer, topic: str, clock: Callable[[], float] = monotonic) -> None:
        self.topic, self.delivered, self.sent = topic, 0, 0
        self._producer, self._clock = producer, clock
        self._failed: KafkaError | None = None

    def publish(self, candles: Iterable[Candle], speed: float | None = None) -> int:
        """Publish candles (of :func:`~schemas.wire.wire`), and wait until each is delivered. Returns how many.

        ``speed``: event time in wall time, 60 for a minute in a second; None for as fast as the broker takes them.

        Raises RecordingError when the broker did not take one; those behind it may have been delivered or not.
        """
        began, first = self._clock(), None
        for candle in candles:
            if speed is not None:
                first = candle.ts if first is None else first
                self._wait_until(began + (candle.ts - first) / 1_000 / speed)
            self._produce(candle.symbol, encode(candle))
        return self.finish()

    def finish(self) -> int:
        """Wait for what is on its way. Returns how many were delivered in all; raises RecordingError."""
        while self._producer.flush(LONGEST_WAIT_S):
            self._check()
        self._check()
        if self.delivered != self.sent:
            raise RecordingError(f"{self.topic}: {self.sent} candles sent, but only {self.delivered} acknowledged")
        return self.delivered

    def _wait_until(self, due: float) -> None:
        while (left := due - self._clock()) > 0:
            self._producer.poll(min(left, LONGEST_WAIT_S))
            self._check()

    def _produce(self, key: str, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(self.topic, value, key, on_delivery=self._on_delivery)
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

    def _on_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.delivered += 1
        elif self._failed is None:
            self._failed = error

    def _check(self) -> None:
        if self._failed is not None:
            raise RecordingError(
                f"{self.topic}: {self.delivered:,} candles delivered, then: {self._failed.str()}; "
                "to publish again from the start, use a new topic or prefix"
            )
