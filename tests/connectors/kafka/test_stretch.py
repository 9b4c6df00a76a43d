from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.kafka.feed import Feed, OffsetLostError, SourceError
from connectors.kafka.stretch import Stretch, Stretched, assert_there, feed_of, read, stretches, topic_id
from tests.connectors.kafka.reading import produce
from tests.kafka.topics import QUIET, new_topic


def feed(address: str, topic: str) -> Feed:
    return feed_of({"bootstrap.servers": address}, "test", topic, lambda *_: None)


def values(address: str, stretch: Stretch) -> list[bytes | None]:
    return [message.value() for messages in read(feed(address, stretch.topic), stretch) for message in messages]


def delete_before(address: str, topic: str, offset: int) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.delete_records([TopicPartition(topic, 0, offset)]).values():
        future.result()


def transaction(address: str, topic: str, value: bytes, *, commit: bool) -> None:
    producer = Producer({"bootstrap.servers": address, "transactional.id": topic}, logger=QUIET)
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, value, partition=0)
    producer.flush()
    (producer.commit_transaction if commit else producer.abort_transaction)()


def test_a_stretch_ends_where_it_was_said_to_end_whatever_comes_later(kafka: str) -> None:
    topic = new_topic(kafka, 2)
    produce(kafka, topic, [b"%d" % n for n in range(5)])
    found = stretches(feed(kafka, topic))
    assert found == [Stretch(topic, 0, 0, 5), Stretch(topic, 1, 0, 0)]
    produce(kafka, topic, [b"later"] * 3)
    assert values(kafka, found[0]) == [b"0", b"1", b"2", b"3", b"4"]
    assert values(kafka, Stretch(topic, 0, 2, 4)) == [b"2", b"3"]
    assert values(kafka, found[1]) == []


def test_it_ends_behind_transactions_that_were_aborted_too(kafka: str) -> None:
    topic = new_topic(kafka)
    transaction(kafka, topic, b"kept", commit=True)
    transaction(kafka, topic, b"dropped", commit=False)
    (found,) = stretches(feed(kafka, topic))
    assert (found.begin, found.end) == (0, 4)  # each has a mark behind it
    assert values(kafka, found) == [b"kept"]


def test_what_is_in_an_open_transaction_does_not_belong_to_it(kafka: str) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, [b"there"])
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic}, logger=QUIET)
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    producer.flush()
    (found,) = stretches(feed(kafka, topic))
    assert (found.begin, found.end) == (0, 1)
    producer.abort_transaction()


def test_nobody_commits_an_offset(kafka: str) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, [b"one"])
    (found,) = stretches(feed(kafka, topic))
    assert values(kafka, found) == [b"one"]
    groups: Any = AdminClient({"bootstrap.servers": kafka}).list_consumer_groups().result()
    assert "test.replay" not in {group.group_id for group in groups.valid}


def test_messages_that_are_gone_are_an_error_and_no_shorter_stretch(kafka: str) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, [b"%d" % n for n in range(10)])
    (before,) = stretches(feed(kafka, topic))
    delete_before(kafka, topic, 6)
    wrong = rf"{topic}-0: offsets 0 to 9 are to be replayed, but .* retention has deleted some.* --overwrite"
    with pytest.raises(OffsetLostError, match=wrong):
        values(kafka, before)
    (now,) = stretches(feed(kafka, topic))
    assert (now.begin, now.end) == (6, 10)
    with pytest.raises(OffsetLostError, match=wrong):
        assert_there([now], [before], same=True)
    assert_there([now], [now, Stretch(topic, 0, 3, 3)], same=True)  # of which nothing is read


def test_a_topic_that_was_made_anew_has_another_id_and_cannot_be_gone_on_with(kafka: str) -> None:
    one, other = new_topic(kafka), new_topic(kafka)
    assert topic_id(feed(kafka, one)) == topic_id(feed(kafka, one)) != topic_id(feed(kafka, other))
    there = Stretch(one, 0, 0, 5)
    for now, same in (([there], False), ([Stretch(one, 0, 0, 4)], True), ([], True)):
        with pytest.raises(SourceError, match=f"{one} was made anew since the run began"):
            assert_there(now, [there], same=same)


def test_reading_goes_on_at_an_offset(kafka: str) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, [b"%d" % n for n in range(4)])
    part = Stretched(feed(kafka, topic), Stretch(topic, 0, 0, 4), 2)
    found: list[bytes | None] = []
    while not part.done:
        found += [message.value() for message in part.take(100)]
    assert found == [b"2", b"3"]
    assert part.next_awake() is None
    part.close()


def test_a_broker_or_topic_that_is_not_there_is_named(kafka: str) -> None:
    with pytest.raises(SourceError, match=rf"Kafka at {kafka}: topic none: .*; make it, or set kafka\.prefix"):
        stretches(feed(kafka, "none"))


def test_ends_are_what_kafka_says(kafka: str) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, [b"x"] * 7)
    admin = AdminClient({"bootstrap.servers": kafka})
    asked = admin.list_offsets({TopicPartition(topic, 0): OffsetSpec.latest()})  # type: ignore[no-untyped-call]
    assert [future.result().offset for future in asked.values()] == [stretches(feed(kafka, topic))[0].end]
