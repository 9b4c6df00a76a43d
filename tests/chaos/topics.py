"""What is on the topics of an installation, read as any reader of committed messages does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from time import monotonic
from typing import Any
from uuid import uuid4

import msgspec
from confluent_kafka import Consumer, KafkaError, TopicPartition

from tests.chaos.compare import Row
from tests.chaos.market import heard, row, spoken
from tests.kafka.topics import QUIET


class Topics:
    """All committed messages of some topics, from their beginning, each with its topic's name without the prefix."""

    def __init__(self, address: str, prefix: str, names: Sequence[str]) -> None:
        settings = {
            "bootstrap.servers": address,
            "group.id": f"chaos-{uuid4()}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
        self._prefix, self._consumer = prefix, Consumer(settings, logger=QUIET)
        self.rows: dict[str, list[Row]] = {name: [] for name in (*names, "alerts")}
        self.journal: dict[str, list[Row]] = defaultdict(list)
        self.upto: dict[str, int] = {}
        self.alerts: list[dict[str, Any]] = []
        self.count, self.moved = 0, monotonic()
        self.decided = 0  # without the journal, to which a zombie may say again what has been said
        found = self._consumer.list_topics(timeout=10).topics
        self._consumer.assign(
            [
                TopicPartition(prefix + name, number, 0)
                for name in (*self.rows, "journal")
                for number in found[prefix + name].partitions
            ]
        )

    def read(self, seconds: float = 0.0) -> int:
        """Take what has come; waits so long for something to come. Returns how many messages."""
        messages = self._consumer.consume(1, seconds) if seconds else []
        messages += self._consumer.consume(100_000, 0)
        for one in messages:
            error = one.error()
            if error is None:
                self._take((one.topic() or "").removeprefix(self._prefix), one)
            else:
                assert error.retriable() or error.code() == KafkaError._PARTITION_EOF, error
        if messages:
            self.count, self.moved = self.count + len(messages), monotonic()
        return len(messages)

    def _take(self, topic: str, one: Any) -> None:
        self.decided += topic != "journal"
        if topic == "journal":
            self._entry(msgspec.json.decode(one.value()))
        else:
            if topic == "alerts":
                self.alerts.append(msgspec.json.decode(one.value()))
            id_ = dict(one.headers())["id"].decode()
            self.rows[topic].append(row(topic, one.key().decode(), id_, one.value()))

    def _entry(self, entry: dict[str, Any]) -> None:
        shard = entry["shard"]
        said = self.upto.get(shard, 0)  # the first word counts, as for every reader of the journal
        if entry["cause"] == "command" and entry["upto"] > said:
            self.journal[shard].append(heard(shard, entry["upto"] - 1, entry["command"]["id"]))
        names = [entry["symbols"][slot] for slot in entry["slot"]]
        columns = (names, *(entry[name] for name in ("ts", "open", "high", "low", "close")))
        for position, *figures in zip(entry["position"], *columns, strict=True):
            if position >= said:
                self.journal[shard].append(spoken(shard, position, *figures))
        self.upto[shard] = max(said, entry["upto"])

    def codes(self) -> list[str]:
        """The codes of all alerts."""
        return sorted({str(alert["code"]) for alert in self.alerts})

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()
