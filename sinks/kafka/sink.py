"""The sink of a live run: records to their topics, each once, one transactional publisher for each part."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from schemas.slices import Slices
from schemas.topics import TOPICS
from sinks.kafka.checkpoint import Checkpoint
from sinks.kafka.courier import Courier
from sinks.kafka.envelope import Message
from sinks.kafka.journal import TOPIC, entries
from sinks.kafka.messages import alarm, diverged, message
from sinks.kafka.publisher import LOG, Publisher, nothing

Outbox = dict[str, list[Any]]
OURS = tuple(topic.name for topic in TOPICS.values() if topic.direction != "in")
OVERDUE = 3  # snapshots
SAID = ("candles", "command")
"""Causes of entries that are known by their positions: said at once, and once."""


class PartPublisher(StatefulSinkPartition[Outbox, bytes]):
    """Publishes the records of one part, in a thread of its own. State: the packed checkpoint of its publisher.

    A record that came out differently than before a crash is not published again: an alert OUTPUT_DIVERGED is, and an
    alarm with it for the breaker that waits for one.
    """

    def __init__(self, sink: KafkaSink, part: str, state: bytes | None) -> None:
        self._sink, self._part, self._snapshots = sink, part, 0
        checkpoint = Checkpoint.unpack(state) if state is not None else None
        linger_s = sink.linger_s.get(part, 0.0)
        self._courier = Courier(part, lambda: self._open(checkpoint), sink.on_trouble, linger_s)

    def _open(self, checkpoint: Checkpoint | None) -> Publisher:
        return Publisher(
            self._sink.client,
            self._sink.deployment,
            self._part,
            [self._sink.prefix + topic for topic in self._sink.topics],
            checkpoint,
            self._diverged,
            log=self._sink.log,
            on_published=self._published,
        )

    def write_batch(self, items: list[Outbox]) -> None:
        """Hand the records of some outboxes over.

        Waits while too much is under way. Raises FencedError, PublishError or KafkaException for this call or an
        earlier one.
        """
        portfolio, prefix = self._sink.portfolio, self._sink.prefix
        told = [slices for outbox in items for slices in outbox.get(TOPIC, ()) if slices.cause in SAID]
        if told:  # first of all: a decision waits for it
            self._courier.publisher().say([entry for slices in told for entry in entries(slices, portfolio, prefix)])
        # Encoded here and not in the thread: what is handed over is as many bytes as the bound says.
        messages = [one for outbox in items for one in self._messages(outbox)]
        if messages:
            self._courier.give(messages)

    def _messages(self, outbox: Outbox) -> Iterator[Message]:
        portfolio, prefix = self._sink.portfolio, self._sink.prefix
        for topic, records in outbox.items():
            for record in records:
                if not isinstance(record, Slices):
                    yield message(topic, record, portfolio, prefix)
                elif record.cause not in SAID:
                    yield message(topic, record.record(), portfolio, prefix)

    def _diverged(self, now: Message) -> Sequence[Message]:
        # Of the journal it is a time-out that was raised again: how long was waited, a clock has told.
        if now.topic == self._sink.journal:
            return ()
        alert = diverged(self._part, now, self._sink.prefix)
        if not self._sink.alarms:
            return (alert,)
        return alert, alarm(self._part, now, self._sink.portfolio, int(self._sink.clock() * 1_000), self._sink.prefix)

    def _published(self, counts: Mapping[str, int]) -> None:
        self._sink.on_published({topic.removeprefix(self._sink.prefix): count for topic, count in counts.items()})

    def snapshot(self) -> bytes:
        """Wait until everything that was written is on the topics, and say where they end. Raises as write_batch."""
        checkpoint = self._courier.finish().checkpoint()
        self._snapshots += 1
        # A time-out is read from the journal after a restart, and need not be raised again.
        owed = [key for key in checkpoint.owed if key[0] != self._sink.journal]
        if self._snapshots == OVERDUE and owed:
            topic, id_ = owed[0]
            self._sink.on_trouble(
                f"{self._part}: {len(owed)} records were published before the restart, but have not been computed again"
                f" since, {id_} on topic {topic} for one: has the input or the configuration changed?"
            )
        return checkpoint.pack()

    def close(self) -> None:
        """Publish what is left and end the thread. Raises nothing, and does not wait for long."""
        self._courier.close()


class KafkaSink(FixedPartitionedSink[Outbox, bytes]):
    """Outboxes, keyed by their part, to the topics of ``schemas.topics``.

    ``client`` holds librdkafka's settings, ``bootstrap.servers`` at least. ``deployment`` and the part make the
    transactional id: two deployments on the same brokers need different names, two processes of one must not have the
    same part (the older one is fenced). ``topics`` are those that the parts write to, ``alerts`` among them; on the
    broker ``prefix`` stands in front of their names. ``portfolio`` is the key of the journal.

    ``on_published`` is told after each commit how many messages of which topic it made visible; ``on_trouble`` what a
    person should know, in words. Both are called from the threads of the parts. ``linger_s`` says by part how long
    records wait for others of the same transaction. With ``alarms`` each alert OUTPUT_DIVERGED is a command
    ``alarm`` of the sender ``sink``, too, given at the time that ``clock`` tells (seconds).
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        deployment: str,
        portfolio: str,
        parts: Sequence[str],
        topics: Sequence[str] = OURS,
        log: logging.Logger = LOG,
        prefix: str = "",
        on_published: Callable[[Mapping[str, int]], None] = nothing,
        on_trouble: Callable[[str], None] = nothing,
        linger_s: Mapping[str, float] | None = None,
        alarms: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.client, self.deployment, self.portfolio, self.log = dict(client), deployment, portfolio, log
        self.parts, self.topics, self.prefix = sorted(parts), sorted({*topics, "alerts"}), prefix
        self.journal = prefix + TOPIC
        self.alarms, self.clock = alarms, clock
        self.on_published, self.on_trouble, self.linger_s = on_published, on_trouble, linger_s or {}

    def list_parts(self) -> list[str]:
        """All parts: every process can reach the brokers."""
        return self.parts

    def part_fn(self, item_key: str) -> int:
        """The part that a record's key names."""
        return self.parts.index(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: bytes | None) -> PartPublisher:  # noqa: ARG002
        """Begin to open the publisher of a part where the snapshot left it, which fences an older one."""
        return PartPublisher(self, for_part, resume_state)
