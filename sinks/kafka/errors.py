"""Errors of Kafka in words that say what to do."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

FENCED = (
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.INVALID_TXN_STATE,  # to end a transaction that the brokers have given up already
)
TRANSIENT = (
    KafkaError._TIMED_OUT,
    KafkaError._MSG_TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError._NOENT,  # no leader of a partition is known, as the brokers start
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.CONCURRENT_TRANSACTIONS,
)
UNKNOWN_TOPIC = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)


class FencedError(RuntimeError):
    """Another process has taken over this part: this one must end."""


class GivenUpError(FencedError):
    """A transaction was open for too long, and the brokers gave it up: start again from the last checkpoint."""


class PublishError(RuntimeError):
    """Records cannot be published, and will not be without somebody doing something."""


def error_of(failed: KafkaException | SystemError) -> KafkaError:
    """The error that the client raised.

    A fatal one it raises amid its callbacks. Then Python finds an exception where none may be, and wraps it.
    """
    found = failed.__cause__ if isinstance(failed, SystemError) else failed
    if not isinstance(found, KafkaException):
        raise failed
    error: KafkaError = found.args[0]
    return error


def explained(error: KafkaError, topic: str) -> PublishError:
    """What went wrong with a topic, and what to do about it.

    >>> print(explained(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), "orders"))
    topic orders does not exist: create it with `penstock topics create`
    """
    if error.code() in UNKNOWN_TOPIC:
        return PublishError(f"topic {topic} does not exist: create it with `penstock topics create`")
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return PublishError(f"topic {topic}: this user may not write and read it: give it these rights on the broker")
    if error.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE):
        return PublishError(
            f"topic {topic}: a record is too large for it: raise its max.message.bytes, and"
            " message.max.bytes among the client's settings"
        )
    return PublishError(f"topic {topic}: {error.str()} ({error.name()})")
