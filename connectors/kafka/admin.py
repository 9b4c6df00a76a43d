"""Topics on the broker: what is there, what is missing, what differs from :data:`schemas.topics.TOPICS`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from connectors.kafka.connection import REQUEST_S, WITHIN_S, Connection
from schemas.topics import DAY, MEGABYTE, TOPICS, Topic

FOREVER = -1


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the broker has it. ``retention_ms`` is -1 when nothing is ever deleted for its age."""

    name: str
    partitions: int
    retention_ms: int
    cleanup: str
    replication: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What is wrong with a topic, and what to do about it."""

    topic: str
    wrong: str
    do: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.wrong}; {self.do}"


class Topics:
    """The topics of one installation."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.kafka = connection, connection.kafka
        self.admin: AdminClient = connection.client(AdminClient)

    def names(self) -> dict[str, int]:
        """Every topic of the broker with the number of its partitions. Raises BrokerError within ten seconds."""
        listed = self.connection.ask(lambda: self.admin.list_topics(timeout=WITHIN_S))
        return {name: len(topic.partitions) for name, topic in sorted(listed.topics.items())}

    def ids(self, names: Sequence[str]) -> dict[str, str]:
        """The broker's ids of some topics: one that was deleted and made anew has another. Some brokers give none."""
        asked = self.admin.describe_topics(TopicCollection(list(names)), request_timeout=REQUEST_S)
        return {name: str(self.answer(future).topic_id) for name, future in asked.items()}

    def found(self) -> dict[str, Found]:
        """Those of ours that are there, by their names without the prefix."""
        listed = self.connection.ask(lambda: self.admin.list_topics(timeout=WITHIN_S)).topics
        full = {name: self.kafka.topic(name) for name in TOPICS}
        there = {name: listed[full[name]].partitions.values() for name in TOPICS if full[name] in listed}
        wanted = [ConfigResource(ResourceType.TOPIC, full[name]) for name in there]
        asked = self.admin.describe_configs(wanted, request_timeout=REQUEST_S) if wanted else {}
        configs = {resource.name: self.answer(future) for resource, future in asked.items()}
        return {
            name: Found(
                name=full[name],
                partitions=len(partitions),
                retention_ms=int(configs[full[name]]["retention.ms"].value),
                cleanup=configs[full[name]]["cleanup.policy"].value,
                replication=min((len(one.replicas) for one in partitions), default=0),
                max_bytes=int(configs[full[name]]["max.message.bytes"].value),
            )
            for name, partitions in there.items()
        }

    def create(self) -> list[str]:
        """Create those that are missing; what is there is left as it is. Returns the full names of the new ones.

        They are there when it returns: a broker hears of a new topic a little later than the controller does.
        """
        there = self.names()
        missing = [topic for name, topic in TOPICS.items() if self.kafka.topic(name) not in there]
        if not missing:
            return []
        made = self.admin.create_topics([self._new(topic) for topic in missing], request_timeout=REQUEST_S)
        new = [name for name, future in made.items() if self._made(future)]
        until = time.monotonic() + WITHIN_S
        while not set(made) <= set(self.names()) and time.monotonic() < until:
            time.sleep(0.05)
        return new

    def _new(self, topic: Topic) -> NewTopic:
        settings = {"cleanup.policy": topic.cleanup, "retention.ms": str(topic.retention_ms)}
        if topic.max_bytes > MEGABYTE:
            settings["max.message.bytes"] = str(topic.max_bytes)
        name, copies = self.kafka.topic(topic.name), self.kafka.replication or -1
        return NewTopic(name, num_partitions=topic.partitions, replication_factor=copies, config=settings)

    def _made(self, future: Future[Any]) -> bool:
        try:
            future.result()
        except KafkaException as failed:
            if failed.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False  # somebody else was quicker, which is as good
            raise self.connection.error(failed) from None
        return True

    def answer(self, future: Future[Any]) -> Any:
        """The result of a request. Raises BrokerError."""
        return self.connection.ask(future.result)

    def differences(self) -> list[Difference]:
        """What differs from what is wanted, topic by topic; nothing when all is well."""
        found = self.found()
        return [wrong for topic in TOPICS.values() for wrong in self._compare(topic, found.get(topic.name))]

    def _compare(self, topic: Topic, found: Found | None) -> list[Difference]:
        name, at = self.kafka.topic(topic.name), f"--bootstrap-server {self.connection.address}"
        if found is None:
            return [Difference(name, "is not there", "penstock topics create")]
        wrong = []
        if found.partitions < topic.partitions:
            wrong.append(
                Difference(
                    name,
                    f"has {_partitions(found.partitions)}, wanted at least {topic.partitions}",
                    "keys move to other partitions when some are added, so stop what writes and reads it, then: "
                    f"kafka-topics.sh {at} --alter --topic {name} --partitions {topic.partitions}",
                )
            )
        alter = f"kafka-configs.sh {at} --alter --entity-type topics --entity-name {name} --add-config"
        if found.cleanup != topic.cleanup:
            what = f"has cleanup.policy {found.cleanup}, wanted {topic.cleanup}"
            wrong.append(Difference(name, what, f"{alter} cleanup.policy={topic.cleanup}"))
        if topic.cleanup == "delete" and found.retention_ms != FOREVER and found.retention_ms < topic.retention_ms:
            what = f"keeps records for {in_days(found.retention_ms)}, wanted at least {in_days(topic.retention_ms)}"
            wrong.append(Difference(name, what, f"{alter} retention.ms={topic.retention_ms}"))
        if found.max_bytes < topic.max_bytes:
            what = f"takes messages of up to {found.max_bytes:,} bytes, wanted {topic.max_bytes:,}"
            wrong.append(Difference(name, what, f"{alter} max.message.bytes={topic.max_bytes}"))
        return wrong


def in_days(millis: int) -> str:
    """A retention in words.

    >>> in_days(7 * 86_400_000), in_days(5_400_000), in_days(-1)
    ('7 d', '1.5 h', 'ever')
    """
    if millis < 0:
        return "ever"
    return f"{millis / DAY:g} d" if millis >= DAY else f"{millis / (DAY / 24):g} h"


def _partitions(count: int) -> str:
    return f"{count} partition" + ("" if count == 1 else "s")
