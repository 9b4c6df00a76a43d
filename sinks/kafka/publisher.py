"""A transactional publisher: what it was given once is on the topics once.

Opening, after a start or a crash:

- **O1** ``init_transactions`` with the part's fixed transactional id: an older process with that id is fenced, and a
  transaction that it left open is aborted.
- **O2** ask where each partition ends, open transactions of others included.
- **O3** read what lies between the offsets of the checkpoint and these ends, and remember the ids of this part's
  records: they will be computed again. Of entries of the journal only the position is remembered.

Publishing a batch (what shards say to the journal goes another way: :mod:`sinks.kafka.journal_writer`):

- **P1** leave out what is owed (O3); a payload that differs from the one on the topic is reported, not published.
- **P2** begin a transaction.
- **P3** produce, for some seconds at most: what is left then goes into another transaction.
- **P4** commit: this delivers everything and makes it visible at once, or nothing.

A checkpoint holds the end of each partition and what is still owed. No transaction is open then, so a record of this
part is either before these ends or will be found by O3.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from schemas.topics import LARGEST
from sinks.kafka.checkpoint import Checkpoint, Offsets
from sinks.kafka.envelope import Entry, Message
from sinks.kafka.errors import FENCED, TRANSIENT, FencedError, GivenUpError, PublishError, error_of, explained
from sinks.kafka.journal_writer import JournalWriter
from sinks.kafka.owed import Answer, Owed
from sinks.kafka.read_back import QUIET, TIMEOUT_S, Ends, read_back

TRIES = 10
PRODUCES_FOR_S = 4.0
UNDER_WAY = 1_000
"""Messages that the broker has not taken yet. A slow one (a quota, a bad disk) sees a transaction of some seconds and
little behind it, not one so large that it gives it up before it has it, again and again."""
LOG = logging.getLogger("penstock.kafka")
SETTINGS = {
    "enable.idempotence": True,
    # The same key goes to the same partition as with Kafka's own clients.
    "partitioner": "murmur2_random",
    # A batch is complete when it is handed over: to wait for more, or for a broker's answer, only costs time.
    "linger.ms": 0,
    "socket.nagle.disable": True,
    "retry.backoff.ms": 5,
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 1_000,
    "message.max.bytes": LARGEST,
    "queue.buffering.max.messages": UNDER_WAY,
    # For so long readers wait for a process that died and does not come back.
    "transaction.timeout.ms": 30_000,
}


def nothing(_: Any) -> None:
    """The hook that does nothing."""


class Publisher:
    """Publishes the records of one part of a deployment.

    ``client`` holds librdkafka's settings and goes before the ones made here. ``on_diverged`` is told of a record that
    came out differently than before; what it returns is published in the same transaction, once: whether that has been
    done, the first message of it tells.
    ``on_published`` is told how many messages of which topic a commit made visible. ``probe`` is told of each step by
    its number; tests kill the process there. Raises PublishError when a topic is missing.

    To make one waits for open transactions of other parts. When several parts died together, each ends its own (O1):
    so their successors are to be made at the same time, in threads, and not one after the other.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        deployment: str,
        part: str,
        topics: Sequence[str],
        checkpoint: Checkpoint | None,
        on_diverged: Callable[[Message], Sequence[Message]],
        probe: Callable[[str], None] = nothing,
        log: logging.Logger = LOG,
        on_published: Callable[[Mapping[str, int]], None] = nothing,
    ) -> None:
        self.part, self._id, self._log = part, f"{deployment}.{part}", log
        self._on_published = on_published
        self._client = {**SETTINGS, **client}
        self._on_diverged, self._probe = on_diverged, probe
        self._failed: PublishError | None = None
        self._successor: FencedError | None = None
        self.owed = Owed(checkpoint.owed, checkpoint.covered) if checkpoint else Owed()
        self._ends = Ends(dict(client), topics, log)
        self._began: float | None = None
        self._producer = self._fence()
        self._catch_up(checkpoint.ends if checkpoint else {})
        self._journal: JournalWriter | None = None

    def _fence(self) -> Producer:
        producer = Producer({**self._client, "transactional.id": self._id}, logger=QUIET)
        self._probe("O1")
        self._persist(lambda: producer.init_transactions(TIMEOUT_S))
        return producer

    def _catch_up(self, known: Offsets) -> None:
        self._probe("O2")
        ends = self._ends.now()
        # An end before the known one: the topic was made anew.
        since = {at: known[at] if known.get(at, end) < end else 0 for at, end in ends.items()}
        behind = {at: (since[at], end) for at, end in ends.items() if end not in (0, known.get(at))}
        if behind:
            self._probe("O3")
            read_back(self._client, self._id, behind, self.owed, self._log)

    def publish(self, messages: Iterable[Message]) -> int:
        """Publish what is new among the messages, as a rule in one transaction. Returns how many that were.

        Waits for as long as the brokers cannot be reached. Raises FencedError when another process has taken over,
        PublishError when the brokers refuse a record.
        """
        if self._successor is not None:
            raise self._successor
        new = [one for message in messages for one in self._new(message)]  # P1
        if not new:
            self.poll()
            return 0
        refused, left = 0, new
        while left:
            published = self._transaction(left)
            self._on_published(Counter(message.topic for message in left[:published]))
            left = left[published:]
            refused = 0 if published else refused + (self._failed is not None)
            if refused == TRIES:
                raise self._failed or PublishError(f"{self._id}: {TRIES} transactions in a row were aborted")
        return len(new)

    def say(self, entries: Sequence[Entry]) -> None:
        """Tell the journal, at once. Another thread may call it while this publishes. Raises PublishError."""
        if self._journal is None:
            self._journal = JournalWriter(
                self._client, self._id, self.owed.covered, self._on_published, self._probe, self._log
            )
        self._journal.say(entries)

    def poll(self) -> None:
        """Let the client say what it has to say. To be called now and then while there is nothing to publish."""
        self._persist(lambda: self._producer.poll(0))

    def _new(self, message: Message) -> Sequence[Message]:
        new: tuple[Message, ...] = (message,)
        answer = self.owed.answer(message.topic, message.id, message.value)
        if answer is Answer.DIVERGED:
            new = tuple(self._on_diverged(message))
            if new:
                self._log.error("%s: %s on topic %s is not what it was before", self._id, message.id, message.topic)
                answer = self.owed.answer(new[0].topic, new[0].id, new[0].value)
        return new if answer is Answer.NEW else ()

    def _transaction(self, new: Sequence[Message]) -> int:
        """Publish the first of them, all as a rule. How many that were; 0 when it was aborted."""
        self._failed, count = None, 0
        try:
            self._producer.begin_transaction()  # P2
            self._began = time.monotonic()
            self._probe("P2")
            while count == 0 or (count < len(new) and time.monotonic() < self._began + PRODUCES_FOR_S):  # P3
                if not self._produce(new[count]):
                    break  # the broker has given it up meanwhile: committing tells why
                count += 1
            self._probe("P3")
            self._persist(lambda: self._producer.commit_transaction(TIMEOUT_S))  # P4
            self._began = None
            self._probe("P4")
        except PublishError:  # a record that the client itself refuses
            self._persist(lambda: self._producer.abort_transaction(TIMEOUT_S))
            raise
        except (KafkaException, SystemError) as failed:
            if not self._aborted(failed):
                raise
            return 0
        return count

    def _aborted(self, failed: KafkaException | SystemError) -> bool:
        """Abort a transaction that failed. False when that is not the way to go on."""
        error = error_of(failed)
        if error.code() in FENCED:
            raise self._fenced(error) from failed
        if not error.txn_requires_abort():
            return False
        self._log.warning("%s: transaction aborted, to be done again: %s", self._id, error.str())
        self._persist(lambda: self._producer.abort_transaction(TIMEOUT_S))
        # Inconsistent: something was not delivered. Why, the delivery report has told.
        if error.code() not in (*TRANSIENT, KafkaError._INCONSISTENT) and self._failed is None:
            self._failed = PublishError(f"{self._id}: {error.str()} ({error.name()})")
        return True

    def _produce(self, message: Message) -> bool:
        """Hand a message over. False when the transaction takes nothing any more."""
        while True:
            try:
                self._producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    headers=message.headers(self._id),
                    on_delivery=self._delivered,
                )
                return True
            except BufferError:
                self._producer.poll(0.1)  # the queue is bounded: wait for the broker instead of growing
            except KafkaException as failed:
                if failed.args[0].code() == KafkaError._STATE:
                    return False
                if failed.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                    raise
                raise explained(failed.args[0], message.topic) from failed

    def _delivered(self, error: KafkaError | None, message: Delivered) -> None:
        # What was purged fell with another one, which has its own reason.
        passing = (*TRANSIENT, *FENCED, KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)
        if error is not None and error.code() not in passing and self._failed is None:
            self._failed = explained(error, message.topic() or "")

    def close(self) -> None:
        """Give the journal some time to take what it was told. Raises nothing: the rest will be said again."""
        if self._journal is not None:
            self._journal.close()

    def checkpoint(self) -> Checkpoint:
        """What a successor has to know. To be called between batches; waits until the journal has all it was told."""
        if self._journal is not None:
            self._journal.finish()
        return Checkpoint(self._ends.now(), self.owed.snapshot(), dict(self.owed.covered))

    def _persist(self, step: Callable[[], object]) -> None:
        """Do a step of the transaction protocol again as long as librdkafka says that this is how to find out."""
        while True:
            try:
                step()
                return
            except (KafkaException, SystemError) as failed:
                error = error_of(failed)
                if error.code() in FENCED:
                    raise self._fenced(error) from failed
                if not error.retriable():
                    raise
                why = error.str()
                self._log.warning(
                    "%s: Kafka does not answer (%s): it is waited for, and nothing is lost", self._id, why
                )

    def _fenced(self, error: KafkaError) -> FencedError:
        # The client tells the two apart by nothing. Up to its time-out a transaction can only have been taken over.
        limit_ms = int(self._client["transaction.timeout.ms"])
        open_ms = (time.monotonic() - self._began) * 1_000 if self._began is not None else 0
        if open_ms < limit_ms and error.code() != KafkaError.INVALID_TXN_STATE:
            why = "another process has taken over: two may not run under the same kafka.deployment at once"
            self._successor = FencedError(f"{self._id}: {why} ({error.str()})")
        else:
            why = (
                f"a transaction was open for {open_ms / 1_000:.0f} s, longer than transaction.timeout.ms, and the"
                " brokers gave it up (or another process has taken over): nothing is lost by a new start"
            )
            self._successor = GivenUpError(f"{self._id}: {why} ({error.str()})")
        return self._successor
