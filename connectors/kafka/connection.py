"""Talking to the broker: clients that keep quiet, and what is said when it cannot be reached."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from schemas.config.kafka import KafkaConfig
from schemas.config.secrets import MASK, is_secret

WITHIN_S = 6.0
"""How long a broker has for its first answer."""
REQUEST_S = 20.0
"""How long it has to carry out a request, once it is known to be there."""

STARTING = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.LEADER_NOT_AVAILABLE,  # of a topic that was made this moment
    KafkaError.NOT_LEADER_FOR_PARTITION,
)
"""What a broker says of a group or a transaction while it is not up yet: ask again."""

Client = TypeVar("Client")
Answer = TypeVar("Answer")

_quiet = logging.getLogger("penstock.librdkafka")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class BrokerError(RuntimeError):
    """The broker cannot be reached, or refuses. The message names its address and says what to do."""


class _Below:
    """The last thing that went wrong in a client. A client keeps this and not the connection, which keeps the clients.

    In a ring of both, the garbage collector would end the clients, wherever it happens to run: in one of librdkafka's
    own threads that aborts the process.
    """

    def __init__(self) -> None:
        self.last = ""

    def note(self, error: KafkaError) -> None:
        # That all brokers are down is said after the reason, and is none.
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self.last = error.str()


class Connection:
    """The settings of all clients of one broker, and the last thing that went wrong below them."""

    def __init__(self, kafka: KafkaConfig) -> None:
        self.kafka = kafka
        self.address = kafka.bootstrap_servers
        self._settings = kafka.settings()
        self._below = _Below()
        self._serve: list[Callable[[float], object]] = []

    def client(self, make: Callable[[dict[str, Any]], Client], own: Mapping[str, Any] | None = None) -> Client:
        """A client of librdkafka; ``own`` are settings that this one needs.

        Raises BrokerError, with the setting, when librdkafka refuses one.
        """
        try:
            # What librdkafka would write to stderr by itself is in the errors; a user sees one message, not twenty.
            made = make({**self._settings, **(own or {}), "error_cb": self._below.note, "logger": _quiet})
        except KafkaException as refused:
            why = self.without_secrets(_reason(refused))
            raise BrokerError(f"kafka.client: {why}; see librdkafka's CONFIGURATION.md for names and values") from None
        if isinstance(made, AdminClient | Producer):  # polling a consumer would take a message from it
            self._serve.append(made.poll)
        return made

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """What the broker answers. Raises BrokerError, with address, reason and advice, when it does not."""
        try:
            return question()
        except KafkaException as failed:
            raise self.error(failed) from None

    def error(self, failed: KafkaException) -> BrokerError:
        """What a user is told of a failure."""
        for serve in self._serve:
            serve(0)  # hands over what went wrong below
        code = failed.args[0].code()
        below = self._below.last if code in _UNREACHABLE else ""
        why = self.without_secrets(below or _reason(failed))
        if code in _REFUSED:
            advice = f"give the user of kafka.client the right to do this (prefix {self.kafka.prefix!r})"
        elif "uthentication" in why or code == KafkaError._AUTHENTICATION:
            advice = "check user and password in kafka.client (sasl.username, sasl.password, sasl.mechanism)"
        elif "SSL" in why or "ssl" in why:
            advice = "check security.protocol and the ssl settings in kafka.client"
        else:
            advice = "start the broker, or set kafka.bootstrap_servers to where it is"
        return BrokerError(f"Kafka at {self.address}: {why}; {advice}")

    def without_secrets(self, text: str) -> str:
        """A text in which no value of a secret setting is left."""
        return hide(text, self._settings)


_UNREACHABLE = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN)
_REFUSED = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
)


def hide(text: str, settings: Mapping[str, str]) -> str:
    """A text without the values of secret settings.

    >>> hide("bad password hunter2", {"sasl.password": "hunter2", "sasl.username": "bad"})
    'bad password ********'
    """
    for name, value in settings.items():
        if value and is_secret(name):
            text = text.replace(value, MASK)
    return text


def _reason(failed: KafkaException) -> str:
    error: KafkaError = failed.args[0]
    return error.str()
