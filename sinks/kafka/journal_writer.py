"""Entries of the journal, at once: outside of any transaction, for every decision waits for them.

A transaction would cost the broker four more requests, and a reader some milliseconds, for each entry. It is not
needed: an entry says which positions of its shard it holds, and of two that say the same a reader takes the first
(:class:`connectors.kafka.journal_source.Entries`). So what is said twice, by a process that was thought to be dead,
does no harm, and what a kill lost is said by the successor, which begins where its snapshot was taken.

- **S1** leave out what the journal has already; an entry that it has in part is cut there.
- **S2** produce. The producer is idempotent: what it sends again after an error is there once, and in order.
- **S3** before a checkpoint: wait until all is on the topic.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as Delivered

from sinks.kafka.envelope import Entry
from sinks.kafka.errors import PublishError, explained
from sinks.kafka.read_back import QUIET, TIMEOUT_S

MOST_KILOBYTES = 16_384
CLOSES_WITHIN_S = 5.0
SETTINGS = {
    "message.timeout.ms": 0,  # brokers that are away are waited for, however long
    "queue.buffering.max.kbytes": MOST_KILOBYTES,
}


class JournalWriter:
    """Says what shards of one part say. ``covered``: by shard, the positions before which all has been said.

    ``client`` holds librdkafka's settings for a producer, ``name`` is the writer's in the headers. ``on_published`` is
    told how many messages of which topic the broker has taken; ``probe`` as in a publisher.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        name: str,
        covered: dict[str, int],
        on_published: Callable[[Mapping[str, int]], None],
        probe: Callable[[str], None],
        log: logging.Logger,
    ) -> None:
        self.covered = covered
        self._name, self._on_published, self._probe, self._log = name, on_published, probe, log
        self._failed: PublishError | None = None
        self._producer = Producer({**client, **SETTINGS}, logger=QUIET)

    def say(self, entries: Sequence[Entry]) -> None:
        """Hand entries over. Waits while the queue is full; raises PublishError when the brokers refused one."""
        for entry in entries:
            for new in self._uncovered(entry):  # S1
                self._produce(new)
        self._probe("S2")
        self._producer.poll(0)
        self._raise()

    def finish(self) -> None:
        """Wait until all is on the topic. Raises PublishError."""
        while self._producer.flush(TIMEOUT_S):  # S3
            self._raise()
            self._log.warning(
                "%s: Kafka does not answer (entries of the journal): it is waited for, and nothing is lost", self._name
            )
        self._raise()

    def close(self) -> None:
        """Wait a little for what is on its way. What is lost then is said by the successor."""
        self._producer.flush(CLOSES_WITHIN_S)

    def _uncovered(self, entry: Entry) -> Sequence[Entry]:
        covered = self.covered.get(entry.shard, -1)
        if entry.upto <= covered:
            return ()
        self.covered[entry.shard] = entry.upto
        return (entry,) if covered <= entry.first else entry.after(covered)

    def _produce(self, entry: Entry) -> None:
        message = entry.message
        while True:
            try:
                self._producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    headers=entry.headers(self._name),
                    on_delivery=self._delivered,
                )
                return
            except BufferError:
                self._producer.poll(0.1)  # the queue is bounded: wait for the broker instead of growing
                self._raise()

    def _delivered(self, error: KafkaError | None, message: Delivered) -> None:
        topic = message.topic() or ""
        if error is None:
            self._on_published({topic: 1})
        elif self._failed is None:
            self._failed = explained(error, topic)

    def _raise(self) -> None:
        if self._failed is not None:
            raise self._failed
