"""The life of a live run, as it is lived: the topic ``events``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Producer

from schemas.event import Event
from schemas.wire import wire
from sinks.kafka.messages import message
from sinks.kafka.read_back import QUIET

EventRow = wire(Event)
LEAVES_WITHIN_S = 1.0


class EventTopic:
    """Publishes events without waiting for the brokers, from any thread.

    They tell of the process and of wall-clock time, not of decisions: each is sent at once, outside of all
    transactions, and what the brokers have not taken when the process dies is lost with it.
    """

    def __init__(self, client: Mapping[str, Any], run: str, prefix: str = "") -> None:
        self._run, self._prefix = run, prefix
        self._producer = Producer({**client, "enable.idempotence": True}, logger=QUIET)

    def __call__(self, name: str, **figures: Any) -> None:
        """Send an event, stamped with the wall clock."""
        row = EventRow(ts=time.time_ns() // 1_000_000, name=name, run=self._run, figures=figures)
        one = message("events", row, "", self._prefix)
        try:
            self._producer.produce(one.topic, one.value, one.key, headers=[("id", one.id), ("schema", one.schema)])
        except BufferError:  # the brokers are away for long: the oldest events are the ones to keep
            return
        finally:
            self._producer.poll(0)

    def close(self) -> None:
        """Wait a moment for what is on its way."""
        self._producer.flush(LEAVES_WITHIN_S)
