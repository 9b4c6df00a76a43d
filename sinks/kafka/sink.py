"""The sink of a live run: records to their topics, each once, one transactional publisher for each part."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from schemas.topics import TOPICS
from sinks.kafka.checkpoint import Checkpoint
from sinks.kafka.messages import diverged, message
from sinks.kafka.publisher import LOG, Message, Publisher

Outbox = dict[str, list[Any]]
OURS = tuple(topic.name for topic in TOPICS.values() if topic.direction != "in")


class PartPublisher(StatefulSinkPartition[Outbox, bytes]):
    """Publishes the records of one part. State: the packed checkpoint of its publisher.

    A record that came out differently than before a crash is not published again: an alert OUTPUT_DIVERGED is.
    """

    def __init__(self, sink: KafkaSink, part: str, state: bytes | None) -> None:
        self._part, self._portfolio = part, sink.portfolio
        self._records: dict[int, Any] = {}
        checkpoint = Checkpoint.unpack(state) if state is not None else None
        names = (sink.client, sink.deployment, part, sink.topics)
        self._publisher = Publisher(*names, checkpoint, self._diverged, log=sink.log)

    def write_batch(self, items: list[Outbox]) -> None:
        """Publish the records of some outboxes in one transaction."""
        messages = []
        for outbox in items:
            for topic, records in outbox.items():
                for record in records:
                    one = message(topic, record, self._portfolio)
                    self._records[id(one)] = record
                    messages.append(one)
        self._publisher.publish(messages)
        self._records.clear()

    def _diverged(self, now: Message) -> Message:
        return diverged(self._part, self._records[id(now)], now)

    def snapshot(self) -> bytes:
        """Everything that was written is on the topics: where they end."""
        return self._publisher.checkpoint().pack()


class KafkaSink(FixedPartitionedSink[Outbox, bytes]):
    """Outboxes, keyed by their part, to the topics of ``schemas.topics``.

    ``client`` holds librdkafka's settings, ``bootstrap.servers`` at least. ``deployment`` and the part make the
    transactional id: two deployments on the same brokers need different names, two processes of one must not have the
    same part (the older one is fenced). ``topics`` are those that the parts write to, ``alerts`` among them.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        deployment: str,
        portfolio: str,
        parts: Sequence[str],
        topics: Sequence[str] = OURS,
        log: logging.Logger = LOG,
    ) -> None:
        self.client, self.deployment, self.portfolio, self.log = dict(client), deployment, portfolio, log
        self.parts, self.topics = sorted(parts), sorted({*topics, "alerts"})

    def list_parts(self) -> list[str]:
        """All parts: every process can reach the brokers."""
        return self.parts

    def part_fn(self, item_key: str) -> int:
        """The part that a record's key names."""
        return self.parts.index(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: bytes | None) -> PartPublisher:  # noqa: ARG002
        """Open the publisher of a part where the snapshot left it, which fences an older one."""
        return PartPublisher(self, for_part, resume_state)
