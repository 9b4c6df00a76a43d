from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from connectors.kafka.candle_source import CandleReader, CandleTopicSource, SourceState
from connectors.kafka.feed import OffsetLostError, SourceError, SourceHooks
from tests.connectors.kafka.messages import message
from tests.connectors.kafka.reading import Row, produce, rows, take, transaction, until
from tests.kafka.broker import Broker
from tests.kafka.topics import QUIET, new_topic


def source(address: str, topic: str, **more: Any) -> CandleTopicSource:
    client = {"bootstrap.servers": address, **more.pop("client", {})}
    return CandleTopicSource(client, more.pop("group", f"group-{topic}"), topic, **more)


def reader(address: str, topic: str, state: SourceState | None = None, partition: int = 0, **more: Any) -> CandleReader:
    return source(address, topic, **more).build_part("in", f"{topic}-{partition}", state)


@pytest.fixture
def opened() -> Iterator[Callable[..., CandleReader]]:
    """Makes readers that are closed behind the test."""
    made: list[CandleReader] = []

    def make(*args: Any, **more: Any) -> CandleReader:
        made.append(reader(*args, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def committed(address: str, topic: str, group: str, partition: int = 0) -> int:
    consumer = Consumer({"bootstrap.servers": address, "group.id": group})
    try:
        return int(consumer.committed([TopicPartition(topic, partition)], 10)[0].offset)
    finally:
        consumer.close()


def stream(count: int) -> list[bytes]:
    return [message(number // 3 + 1, f"S{number % 3}/USDT") for number in range(count)]


def expected(count: int) -> list[Row]:
    return [(f"S{number % 3}/USDT", (number // 3 + 1) * 60_000, number) for number in range(count)]


@pytest.mark.parametrize("batch_rows", [1, 7, 10_000])
def test_what_was_produced_arrives_in_columns_and_in_order(
    kafka: str, opened: Callable[..., CandleReader], batch_rows: int
) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, stream(500))
    part = opened(kafka, topic, batch_rows=batch_rows)
    batches = take(part, 500)
    assert rows(batches) == expected(500)
    assert max(map(len, batches)) <= batch_rows
    assert part.next_batch() == []
    assert part.next_awake() is not None


def test_a_snapshot_gives_the_rest_exactly_with_the_same_slots(kafka: str, opened: Callable[..., CandleReader]) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, stream(100))
    first = opened(kafka, topic, batch_rows=10)
    begun = take(first, 40)
    state = first.snapshot()
    second = opened(kafka, topic, state, batch_rows=33)
    rest = take(second, 60)
    assert rows(begun) + rows(rest) == expected(100)
    assert rest[0].symbols == begun[-1].symbols == ("S0/USDT", "S1/USDT", "S2/USDT")
    assert state.offset == 40


def test_offsets_of_the_group_follow_durable_snapshots_only(kafka: str) -> None:
    topic, durable = new_topic(kafka), []
    produce(kafka, topic, stream(30))
    hooks = SourceHooks(on_durable=lambda part, offset: durable.append((part, offset)))
    part = reader(kafka, topic, batch_rows=10, hooks=hooks)
    take(part, 10)
    part.snapshot()
    assert durable == []
    take(part, 10)
    part.snapshot()
    part.close()
    assert durable == [(f"{topic}-0", 10)]
    assert committed(kafka, topic, f"group-{topic}") == 10


def test_without_a_snapshot_it_goes_on_where_the_group_was(kafka: str, opened: Callable[..., CandleReader]) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, stream(30))
    part = reader(kafka, topic, batch_rows=10)
    take(part, 10)
    part.snapshot()
    part.next_batch()
    part.close()
    again = opened(kafka, topic, start="end")
    assert rows(take(again, 20)) == expected(30)[10:]


def test_the_very_first_start_is_at_the_end_when_so_set(kafka: str, opened: Callable[..., CandleReader]) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, stream(30))
    part = opened(kafka, topic, start="end")
    assert part.snapshot().offset == 30
    produce(kafka, topic, [message(99)])
    assert rows(take(part, 1)) == [("BTC/USDT", 5_940_000, 30)]


def test_a_partition_added_later_begins_at_its_beginning_whatever_is_set(
    kafka: str, opened: Callable[..., CandleReader]
) -> None:
    topic = new_topic(kafka, 2)
    produce(kafka, topic, stream(3), partition=1)
    known = Consumer({"bootstrap.servers": kafka, "group.id": f"group-{topic}"})
    known.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
    known.close()
    assert rows(take(opened(kafka, topic, partition=1, start="end"), 3)) == expected(3)


@pytest.mark.parametrize("offset", [5, 1000])
def test_an_offset_that_is_not_there_is_an_error_that_says_what_to_do(
    kafka: str, opened: Callable[..., CandleReader], offset: int
) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, stream(30))
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_records([TopicPartition(topic, 0, 20)])[TopicPartition(topic, 0, 20)].result()
    state = opened(kafka, topic).snapshot()._replace(offset=offset)
    with pytest.raises(OffsetLostError) as lost:
        until(opened(kafka, topic, state), lambda found: bool(found))
    assert str(lost.value).startswith(
        f"{topic}-0: candles from offset {offset} on were to be read next, but the broker has 20 to 29: retention"
    )
    assert "kafka.deployment" in str(lost.value)


def test_a_topic_that_is_not_there_is_named(kafka: str) -> None:
    with pytest.raises(SourceError, match=r"topic absent: .*; make it, or set kafka\.prefix"):
        source(kafka, "absent").list_parts()


def test_parts_are_the_partitions(kafka: str) -> None:
    topic = new_topic(kafka, 3)
    assert source(kafka, topic).list_parts() == [f"{topic}-0", f"{topic}-1", f"{topic}-2"]


def test_new_partitions_are_told_once(kafka: str, opened: Callable[..., CandleReader]) -> None:
    topic, told = new_topic(kafka), []
    client = {"statistics.interval.ms": 50, "topic.metadata.refresh.interval.ms": 100}
    hooks = SourceHooks(on_partitions=lambda name, count: told.append((name, count)))
    part = opened(kafka, topic, client=client, hooks=hooks)
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result()
    until(part, lambda _: bool(told))
    produce(kafka, topic, stream(3))
    take(part, 3)
    assert told == [(topic, 3)]


def test_an_aborted_transaction_is_not_read(kafka: str, opened: Callable[..., CandleReader]) -> None:
    topic = new_topic(kafka)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic}, logger=QUIET)
    producer.init_transactions(30)
    transaction(producer, topic, message(1), commit=False)
    transaction(producer, topic, message(2))
    assert rows(take(opened(kafka, topic), 1)) == [("BTC/USDT", 120_000, 2)]


def test_marks_of_transactions_behind_the_last_message_may_be_deleted_for_their_age(
    kafka: str, opened: Callable[..., CandleReader]
) -> None:
    topic = new_topic(kafka)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic}, logger=QUIET)
    producer.init_transactions(30)
    transaction(producer, topic, message(1))
    part = opened(kafka, topic)
    until(part, lambda _: part.snapshot().offset == 2)
    state = part.snapshot()
    assert (state.offset, state.upto) == (2, 1)
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_records([TopicPartition(topic, 0, 2)])[TopicPartition(topic, 0, 2)].result()
    again = opened(kafka, topic, state)
    transaction(producer, topic, message(2))
    assert rows(take(again, 1)) == [("BTC/USDT", 120_000, 2)]


def test_lag_is_what_is_left_to_be_read(kafka: str, opened: Callable[..., CandleReader]) -> None:
    topic, hooks = new_topic(kafka, 2), SourceHooks()
    produce(kafka, topic, stream(30))
    first, second = (opened(kafka, topic, partition=number, batch_rows=10, hooks=hooks) for number in (0, 1))
    take(first, 10)
    until(second, lambda _: f"{topic}-1" in hooks.lags())
    assert hooks.lags() == {f"{topic}-0": 20, f"{topic}-1": 0}
    take(first, 20)
    assert hooks.lags() == {f"{topic}-0": 0, f"{topic}-1": 0}
    second.close()
    assert hooks.lags() == {f"{topic}-0": 0}


def test_a_broker_that_stops_and_starts_is_waited_for(broker: Broker) -> None:
    topic, troubles = new_topic(broker.address), []
    hooks = SourceHooks(on_trouble=lambda part, what: troubles.append((part, what)))
    produce(broker.address, topic, stream(30))
    port = str(broker.port)
    part = reader(broker.address, topic, hooks=hooks, client={"sasl.password": port})
    begun = take(part, 30)
    part.snapshot()
    broker.stop()
    assert until(part, lambda _: bool(troubles)) == []
    part.snapshot()
    assert part.next_batch() == []
    broker.start()
    produce(broker.address, topic, stream(60)[30:])
    assert rows(begun) + rows(take(part, 30)) == expected(60)
    part.close()
    assert {name for name, _ in troubles} == {f"{topic}-0"}
    assert [what for _, what in troubles if port in what] == []
    assert any("127.0.0.1:********" in what for _, what in troubles)


def test_no_broker_at_the_start_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.kafka.feed.WITHIN_S", 0.5)
    with pytest.raises(SourceError, match=r"^Kafka at 127\.0\.0\.1:1: .*; start the broker, or set"):
        source("127.0.0.1:1", "candles").list_parts()


def test_what_librdkafka_says_of_a_setting_is_said_without_secrets() -> None:
    client = {"security.protocol": "hunter2", "sasl.password": "hunter2"}
    with pytest.raises(SourceError, match=r'^kafka\.client: .*"\*{8}".*; see librdkafka\'s CONFIGURATION') as refused:
        source("127.0.0.1:1", "candles", client=client).list_parts()
    assert "hunter2" not in str(refused.value)
