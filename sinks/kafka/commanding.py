"""A command onto its topic, delivered before anybody waits for the answer."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from schemas.command import Command
from sinks.kafka.messages import message

SETTINGS: dict[str, Any] = {
    "enable.idempotence": True,
    "partitioner": "murmur2_random",
    "message.timeout.ms": 10_000,  # a command that comes much later is not wanted any more
}
WITHIN_S = 15.0


class NotSentError(RuntimeError):
    """The broker did not take the command."""


def send(producer: Producer, command: Command, prefix: str = "") -> None:
    """Publish it and wait until it is there. ``producer`` is made with :data:`SETTINGS`. Raises NotSentError."""
    one = message("commands", command, command.portfolio, prefix)
    failed: list[KafkaError | None] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        failed.append(error)

    producer.produce(one.topic, one.value, one.key, headers=one.headers("cli"), on_delivery=delivered)
    producer.flush(WITHIN_S)
    if failed != [None]:
        why = failed[0].str() if failed and failed[0] is not None else "the broker does not answer"
        raise NotSentError(f"{one.topic}: the command was not sent: {why}")
