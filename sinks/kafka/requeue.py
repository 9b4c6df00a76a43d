"""Dead letters back to the topics that they came from, as the messages that they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.deadletter import DeadLetter, bytes_of, header_of, value_of
from sinks.kafka.errors import FENCED, FencedError, PublishError, explained

HEADER = "requeued-from"
TIMEOUT_S = 15.0
TRIES = 3


def settings(deployment: str) -> dict[str, Any]:
    """What the producer of a :class:`Requeue` is made with."""
    return {"enable.idempotence": True, "transactional.id": f"{deployment}.requeue", "linger.ms": 0}


class Requeue:
    """Publishes dead letters in one transaction: all of them, or none.

    Of all that have the same transactional id only the youngest can publish. So who looks whether a letter has been
    requeued after making this object, and publishes with it, cannot be overtaken by another one in between.
    """

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._persist(lambda: producer.init_transactions(TIMEOUT_S))

    def publish(self, letters: Iterable[DeadLetter]) -> int:
        """Each with its value, key and headers, to its partition, and the header ``requeued-from``. Returns how many.

        The time of the message is that of publishing: a topic deletes by it.

        Raises FencedError when somebody else requeues at the same time, PublishError when the broker refuses a letter,
        ValueError for one that came from a file.
        """
        failed: list[PublishError] = []

        def delivered(error: KafkaError | None, message: Any) -> None:
            if error is not None:
                failed.append(explained(error, message.topic()))

        count = 0
        try:
            self._producer.begin_transaction()
            for letter in letters:
                self._produce(letter, delivered)
                count += 1
            self._persist(lambda: self._producer.commit_transaction(TIMEOUT_S))
        except KafkaException as error:
            raise self._aborted(error.args[0], failed) from error
        return count

    def _produce(self, letter: DeadLetter, delivered: Callable[[KafkaError | None, Any], None]) -> None:
        if letter.partition is None:
            raise ValueError(f"{letter.id} came from the file {letter.source}")
        headers: list[tuple[str, str | bytes | None]] = [*map(header_of, letter.headers), (HEADER, letter.id)]
        key = None if letter.key is None else bytes_of(letter.key)
        while True:
            try:
                self._producer.produce(
                    letter.source,
                    value_of(letter),
                    key,
                    partition=letter.partition,
                    headers=headers,
                    on_delivery=delivered,
                )
                return
            except BufferError:
                self._producer.poll(0.1)  # the queue is bounded: wait for the broker instead of growing

    def _aborted(self, error: KafkaError, failed: list[PublishError]) -> Exception:
        if error.code() in FENCED:
            return FencedError("somebody else requeues at the same time, so nothing was published: try again")
        if error.retriable():
            return PublishError(
                f"the broker did not answer ({error.str()}), so it is not known whether anything was published: give "
                "the same command again, it leaves alone what is there"
            )
        self._persist(lambda: self._producer.abort_transaction(TIMEOUT_S))
        return failed[0] if failed else PublishError(f"nothing was published: {error.str()} ({error.name()})")

    def _persist(self, step: Callable[[], None]) -> None:
        """Do a step again, a few times, when librdkafka says that this is how to find out what became of it."""
        for left in reversed(range(TRIES)):
            try:
                step()
                return
            except KafkaException as failed:
                if not failed.args[0].retriable() or not left:
                    raise
