"""Topics for one test each, and what stands on them."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

QUIET = logging.getLogger("penstock.tests.kafka")
QUIET.propagate = False
QUIET.addHandler(logging.NullHandler())

NOT_YET = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
)
Row = tuple[int, str, str, bytes]
PATIENCE_S = 60  # a busy machine's broker may take long; nothing here waits longer than it needs


def new_topic(address: str, partitions: int = 1, config: dict[str, str] | None = None, name: str = "") -> str:
    """The name of a fresh topic that is ready."""
    name = name or f"test-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.create_topics([NewTopic(name, partitions, 1, config=config or {})]).values():
        future.result()
    consumer = Consumer({"bootstrap.servers": address, "group.id": name}, logger=QUIET)
    for partition in range(partitions):
        while True:  # until the partition has its leader
            try:
                consumer.get_watermark_offsets(TopicPartition(name, partition), PATIENCE_S)
                break
            except KafkaException as failed:
                if failed.args[0].code() not in NOT_YET:
                    raise
    consumer.close()
    return name


def raw(address: str, topic: str, isolation: str = "read_committed") -> list[Any]:
    """All messages of a topic, as a reader gets them who began now, in the order of each partition."""
    settings = {
        "bootstrap.servers": address,
        "group.id": f"read-{uuid.uuid4()}",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": isolation,
    }
    consumer = Consumer(settings, logger=QUIET)
    try:
        waiting = set(consumer.list_topics(topic, PATIENCE_S).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in waiting])
        rows = []
        while waiting:
            message = consumer.poll(PATIENCE_S)
            assert message is not None, f"{topic}: nothing came for {PATIENCE_S} s"
            error = message.error()
            if error is None:
                rows.append(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                waiting.discard(message.partition())
        return rows
    finally:
        consumer.close()


def rows(address: str, topic: str) -> list[Row]:
    """Partition, key, id and value of every committed message."""
    return [
        (message.partition(), message.key().decode(), dict(message.headers())["id"].decode(), message.value())
        for message in raw(address, topic)
    ]
