"""How a topic is read: by whom, with which settings, and who is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException

from connectors.kafka.connection import STARTING, hide
from connectors.kafka.lags import Lags

Start = Literal["beginning", "end"]
Answer = TypeVar("Answer")
AWAY = (KafkaError._TRANSPORT, KafkaError._RESOLVE)
WITHIN_S = 10.0
AGAIN_S = 0.1

_quiet = logging.getLogger("penstock.librdkafka")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False

DEFAULTS: Mapping[str, Any] = {
    "fetch.queue.backoff.ms": 10,  # the local queue was full: a second, as by default, would be a hole in the stream
    "queued.max.messages.kbytes": 16_384,
    "reconnect.backoff.max.ms": 1_000,  # a broker that is back is found within a second
    "logger": _quiet,  # what librdkafka would write to stderr comes through the hooks
}
CONSUMER: Mapping[str, Any] = {
    "statistics.interval.ms": 30_000,  # these tell of partitions that were added
}
MUST: Mapping[str, Any] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    # The other values go on elsewhere, silently, when what was to come next has been deleted.
    "auto.offset.reset": "error",
}


class SourceError(RuntimeError):
    """The topic cannot be read. The message says what happened and what to do."""


class OffsetLostError(SourceError):
    """What should be read next is not on the broker any more."""


def _nothing(*_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class SourceHooks:
    """What a source tells of its work; called in the process that reads, and must not raise. No text has secrets."""

    on_rows: Callable[[str, int], None] = _nothing  # part, next offset
    on_durable: Callable[[str, int], None] = _nothing  # part, next offset of the newest durable snapshot
    on_trouble: Callable[[str, str], None] = _nothing  # part, what is wrong; it goes on by itself
    on_partitions: Callable[[str, int], None] = _nothing  # topic, partitions now: restart to read the new ones
    lags: Lags = field(default_factory=Lags)  # to be asked for the lag of every part


@dataclass(frozen=True)
class Feed:
    """One topic as one consumer group reads it. ``what`` is on it, in words.

    ``client`` are settings of librdkafka; those in :data:`MUST` stay as they are.
    """

    client: Mapping[str, Any]
    group: str
    topic: str
    what: str
    hooks: SourceHooks

    @property
    def address(self) -> str:
        """Where the broker is."""
        return str(self.client.get("bootstrap.servers"))

    def consumer(self, callbacks: Mapping[str, Any] | None = None) -> Consumer:
        """A consumer, which reads nothing yet. Raises SourceError for a setting that librdkafka refuses."""
        settings = {**DEFAULTS, **CONSUMER, **self.client, **MUST, **(callbacks or {}), "group.id": self.group}
        try:
            return Consumer(settings)
        except KafkaException as refused:
            raise SourceError(
                f"kafka.client: {self.reason(refused)}; see librdkafka's CONFIGURATION.md for names and values"
            ) from None

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """What the broker answers, once it has started. Raises SourceError when it does not."""
        until = time.monotonic() + WITHIN_S
        while True:
            try:
                return question()
            except KafkaException as failed:
                if failed.args[0].code() not in STARTING or time.monotonic() > until:
                    raise self._refused(failed) from None
                time.sleep(AGAIN_S)

    def _refused(self, failed: KafkaException) -> SourceError:
        return SourceError(
            f"Kafka at {self.address}: {self.reason(failed)}; start the broker, or set kafka.bootstrap_servers and "
            "kafka.client to where it is"
        )

    def without_secrets(self, text: str) -> str:
        """A text in which no value of a secret setting is left."""
        return hide(text, self.client)

    def told(self, error: KafkaError) -> str:
        """What is to be told of an error that is overcome by itself."""
        if error.code() not in AWAY:
            return error.str()
        why = error.str().rpartition(": ")[2].partition(" (after ")[0]
        return f"Kafka at {self.address} does not answer ({why}): it is waited for, and nothing is lost"

    def reason(self, failed: KafkaException) -> str:
        """What went wrong, in words and without secrets."""
        return self.without_secrets(failed.args[0].str())

    @cached_property
    def partitions(self) -> int:
        """How many there are. Raises SourceError when the broker or the topic is not there."""
        asking = self.consumer()
        try:
            found = self.ask(lambda: asking.list_topics(self.topic, WITHIN_S)).topics[self.topic]
        finally:
            asking.close()
        if found.error is not None or not found.partitions:
            why = found.error.str() if found.error is not None else "no partitions"
            raise SourceError(f"Kafka at {self.address}: topic {self.topic}: {why}; make it, or set kafka.prefix")
        return len(found.partitions)
