"""The harness's own end of the broker: topics, the feed behind a gate, and a watch on what the sides write."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.kafka.market import Feed, Signal
from sinks.kafka.recording import SETTINGS

SHARDS = 4
SILENCE_S = 60
"""A side that gives nothing for so long, with signals still owed, has failed."""


def create(address: str, topics: dict[str, int]) -> None:
    """Create topics with so many partitions each, and wait until each has its leaders."""
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.create_topics([NewTopic(name, count, 1) for name, count in topics.items()]).values():
        future.result()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        there = admin.list_topics(timeout=10).topics
        if all(name in there and all(p.leader >= 0 for p in there[name].partitions.values()) for name in topics):
            return
        time.sleep(0.05)
    raise SystemExit(f"the broker has no leaders for {', '.join(topics)}")


def delete(address: str, prefix: str) -> None:
    """Delete every topic that begins so: a run's data is of no use to the next one, and disk is finite."""
    admin = AdminClient({"bootstrap.servers": address})
    names = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    for future in admin.delete_topics(names).values() if names else ():
        future.result()


class Gate:
    """The feed on a topic, its first minutes readable at once, the rest all at the same moment: :meth:`open`.

    The rest is written ahead in one transaction that is left open. All sides read committed messages only, so none can
    start early, and publishing takes nothing from the machine while a side is timed.
    """

    def __init__(self, address: str, topic: str, feed: Feed, minutes: int) -> None:
        self._topic, self._symbols = topic, feed.symbols
        name = f"gate-{uuid.uuid4()}"
        settings = {"transactional.id": name, "transaction.timeout.ms": 900_000, "log_level": 3}
        self._producer = Producer({"bootstrap.servers": address, **SETTINGS, **settings})
        self._producer.init_transactions(30)
        self._producer.begin_transaction()
        first = minutes * len(feed.symbols)
        self._write(feed.values[:first])
        self.open()
        self._producer.begin_transaction()
        self._write(feed.values[first:])

    def open(self) -> None:
        """Commit: what was written is readable."""
        self._producer.commit_transaction(30)

    def _write(self, values: list[bytes]) -> None:
        symbols, producer = self._symbols, self._producer
        for number, value in enumerate(values):  # a part begins with the first symbol of a minute
            key = symbols[number % len(symbols)]
            while True:
                try:
                    producer.produce(self._topic, value, key)
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(120):
            raise SystemExit("the broker did not take the candles within two minutes")


class Watch:
    """Reads committed messages of a topic from its beginning, as any consumer would."""

    def __init__(self, address: str, topic: str, partitions: int = 1) -> None:
        self.values: list[bytes] = []
        self.topic, self._partitions = topic, partitions
        self._consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": f"watch-{uuid.uuid4()}",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.error.backoff.ms": 10,
            }
        )
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])

    def until(self, count: int, alive: Callable[[], None]) -> float:
        """Read until there are ``count`` messages. Returns the moment (``perf_counter``) at which the last one came.

        ``alive`` is called now and then, to raise when the writer has died. Raises SystemExit after a long silence.
        """
        last = time.perf_counter()
        while len(self.values) < count:
            good = self._read(0.01)
            if good:
                last = time.perf_counter()
            else:
                alive()
                if time.perf_counter() > last + SILENCE_S:
                    raise SystemExit(
                        f"{self.topic}: {len(self.values):,} of {count:,} messages, and no more for {SILENCE_S} s"
                    )
        return last

    def rest(self) -> list[bytes]:
        """All messages, to the end of the topic as it is when nobody writes any more."""
        ends = [self._consumer.get_watermark_offsets(TopicPartition(self.topic, p), 10)[1] for p in self._all()]
        while any(at.offset < end for at, end in zip(self._positions(), ends, strict=True)):
            self._read(0.1)
        return self.values

    def close(self) -> None:
        self._consumer.close()

    def _all(self) -> range:
        return range(self._partitions)

    def _positions(self) -> list[TopicPartition]:
        found = self._consumer.position([TopicPartition(self.topic, p) for p in self._all()])
        for one in found:
            one.offset = max(one.offset, 0)  # nothing read yet
        return list(found)

    def _read(self, seconds: float) -> int:
        before = len(self.values)
        for message in self._consumer.consume(10_000, seconds):
            value = good(message)
            if value is not None:
                self.values.append(value)
        return len(self.values) - before


def good(message: Message) -> bytes | None:
    """The value of a message; None at the end of a partition. Raises SystemExit for any other error."""
    error: KafkaError | None = message.error()
    if error is None:
        return message.value()
    if error.code() == KafkaError._PARTITION_EOF:
        return None
    raise SystemExit(f"{message.topic()}: {error}")


def signals(values: list[bytes]) -> list[Signal]:
    """Messages of any side as signals."""
    rows: list[dict[str, Any]] = [json.loads(value) for value in values]
    return [(row["symbol"], row["ts"], row["side"]) for row in rows]
