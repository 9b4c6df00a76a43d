from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.feed import OffsetLostError, SourceError, SourceHooks
from connectors.kafka.journal_source import JournalError, JournalReader, JournalSource, JournalState, read_slices
from schemas.ids import event_id
from schemas.signal import Signal
from schemas.slices import Slices, notice
from schemas.wire import encode, wire
from sinks.kafka.envelope import Message
from sinks.kafka.publisher import Publisher
from tests.connectors.kafka.reading import wait
from tests.kafka.topics import QUIET, new_topic

SIGNAL = wire(Signal)(
    id="s",
    ts=60_000,
    symbol="BTC/USDT",
    timeframe="1m",
    strategy="mine",
    version="1.0.0",
    mode="live",
    side="long",
    price=10.0,
    stop=9.0,
    target=None,
    confidence=1.0,
    missing=0,
    reason="",
    values={"atr": 0.5},
)


def slices(upto: int, shard: str = "candles-0") -> Slices:
    """Two rows, the second of which raised a signal."""
    price = np.array([10.0, 11.0])
    return Slices(
        shard=shard,
        shards=("candles-0", "candles-1"),
        symbols=("BTC/USDT", "ETH/USDT"),
        timeframes=np.array([60_000, 60_000]),
        slot=np.array([0, 1], np.int32),
        ts=np.array([60_000, 60_000]),
        open=price,
        high=price + 1,
        low=price - 1,
        close=price,
        position=np.array([upto - 2, upto - 1]),
        signals=(SIGNAL,),
        signal_row=(1,),
        upto=upto,
        watermark=59_999,
    )


def entry(topic: str, said: Slices | bytes, key: str = "main") -> Message:
    value = said if isinstance(said, bytes) else encode(said.record())
    return Message(topic, key, event_id(key, value.decode()), value)


def publish(address: str, *messages: Message, deployment: str = "bots") -> None:
    """As the sink of a market stage does."""
    names = (deployment, "candles-0", [messages[0].topic])
    publisher = Publisher({"bootstrap.servers": address}, *names, None, lambda message: (message,), log=QUIET)
    for message in messages:
        publisher.publish([message])


def source(address: str, topic: str, **more: Any) -> JournalSource:
    return JournalSource({"bootstrap.servers": address}, "bots", topic, "main", **more)


@pytest.fixture
def opened(kafka: str) -> Iterator[Callable[..., JournalReader]]:
    """Makes readers that are closed behind the test."""
    made: list[JournalReader] = []

    def make(topic: str, state: JournalState | None = None, **more: Any) -> JournalReader:
        one = source(kafka, topic, **more)
        made.append(one.build_part("journal", one.list_parts()[0], state))
        return made[-1]

    yield make
    for one in made:
        one.close()


def take(part: JournalReader, count: int) -> list[tuple[str, Slices]]:
    found: list[tuple[str, Slices]] = []
    while len(found) < count:
        got = part.next_batch()
        found += got
        if not got:
            wait(part)
    return found


def to_end(part: JournalReader, offset: int) -> int:
    """Read on to an offset."""
    while part.snapshot().offset < offset:
        part.next_batch()
        wait(part) if part.next_awake() else None
    return part.snapshot().offset


def test_slices_arrive_as_they_were_said(kafka: str, opened: Callable[..., JournalReader]) -> None:
    topic = new_topic(kafka)
    said = [slices(2), notice("candles-1", ["candles-0", "candles-1"], 0, 60_000, "timeout", 5_000), slices(4)]
    publish(kafka, *(entry(topic, one) for one in said))
    found = take(opened(topic), 3)
    assert [key for key, _ in found] == ["portfolio-main"] * 3
    assert [encode(one.record()) for _, one in found] == [encode(one.record()) for one in said]
    first = found[0][1]
    assert [str(column.dtype) for column in (first.slot, first.ts, first.close, first.position)] == [
        "int32",
        "int64",
        "float64",
        "int64",
    ]
    assert type(first.signals[0]) is type(SIGNAL)


def test_other_portfolios_and_other_deployments_are_passed_over(
    kafka: str, opened: Callable[..., JournalReader]
) -> None:
    topic = new_topic(kafka)
    publish(kafka, entry(topic, slices(2)), entry(topic, b"broken", "other"), entry(topic, slices(4), "other"))
    publish(kafka, entry(topic, slices(6)), deployment="others")
    publish(kafka, entry(topic, slices(8)))
    assert [one.upto for _, one in take(opened(topic), 2)] == [2, 8]


def test_its_one_part_is_the_partition_of_the_portfolios_name(kafka: str, opened: Callable[..., JournalReader]) -> None:
    topic = new_topic(kafka, 5)
    assert source(kafka, topic).list_parts() == [f"{topic}-4"]
    publish(kafka, entry(topic, slices(2)))
    assert [one.upto for _, one in take(opened(topic), 1)] == [2]


def test_a_snapshot_gives_the_rest_and_the_group_follows(kafka: str, opened: Callable[..., JournalReader]) -> None:
    topic, durable = new_topic(kafka), []
    publish(kafka, *(entry(topic, slices(upto)) for upto in (2, 4, 6)))
    part = opened(topic, hooks=SourceHooks(on_durable=lambda part, offset: durable.append((part, offset))))
    take(part, 3)
    assert to_end(part, 6) == 6
    part.next_batch()
    assert durable[-1] == (f"{topic}-0", 6)
    publish(kafka, entry(topic, slices(8)))
    assert [one.upto for _, one in take(opened(topic, JournalState(4, {})), 2)] == [6, 8]


def test_what_is_said_twice_is_taken_once(kafka: str, opened: Callable[..., JournalReader]) -> None:
    topic = new_topic(kafka)
    other = replace(slices(5), position=np.array([3, 4]))
    publish(kafka, *(entry(topic, one) for one in (slices(2), slices(4), slices(4), other, slices(2, "candles-1"))))
    part = opened(topic)
    found = [one for _, one in take(part, 4)]
    assert [(one.shard, one.position.tolist(), one.upto) for one in found] == [
        ("candles-0", [0, 1], 2),
        ("candles-0", [2, 3], 4),
        ("candles-0", [4], 5),
        ("candles-1", [0, 1], 2),
    ]
    assert [(len(one.signals), one.signal_row) for one in found] == [(1, (1,)), (1, (1,)), (1, (0,)), (1, (1,))]
    assert dict(part.snapshot().said) == {"candles-0": 5, "candles-1": 2}
    publish(kafka, entry(topic, slices(5)), entry(topic, slices(7)))
    assert [one.upto for _, one in take(opened(topic, part.snapshot()), 1)] == [7]


def committed(kafka: str, topic: str, partition: int, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "bots"}, logger=QUIET)
    consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
    consumer.close()


def delete_before(kafka: str, topic: str, offset: int) -> None:
    admin, at = AdminClient({"bootstrap.servers": kafka}), TopicPartition(topic, 0, offset)
    admin.delete_records([at])[at].result()


def test_without_a_snapshot_it_begins_at_the_beginning_wherever_the_group_was(
    kafka: str, opened: Callable[..., JournalReader]
) -> None:
    topic = new_topic(kafka)
    publish(kafka, entry(topic, slices(2)), entry(topic, slices(4)))
    committed(kafka, topic, 0, 2)
    assert [one.upto for _, one in take(opened(topic), 2)] == [2, 4]


def test_an_account_whose_beginning_was_deleted_is_not_made_again(
    kafka: str, opened: Callable[..., JournalReader]
) -> None:
    topic = new_topic(kafka)
    publish(kafka, entry(topic, slices(2)), entry(topic, slices(4)))
    delete_before(kafka, topic, 2)
    assert [one.upto for _, one in take(opened(topic), 1)] == [4]  # it has never read it before
    committed(kafka, topic, 0, 4)
    with pytest.raises(SourceError, match=rf"^{topic}-0: .* before offset 2: .* Restore the state from a backup, or"):
        opened(topic)


def test_a_journal_with_other_partitions_than_before_is_refused(
    kafka: str, opened: Callable[..., JournalReader]
) -> None:
    topic = new_topic(kafka, 5)
    committed(kafka, topic, 0, 4)
    with pytest.raises(SourceError, match=rf"^{topic}-4: this deployment has read {topic}-0 so far: the topic has got"):
        opened(topic)


def test_entries_that_were_deleted_before_they_were_read_end_it(
    kafka: str, opened: Callable[..., JournalReader]
) -> None:
    topic = new_topic(kafka)
    publish(kafka, *(entry(topic, slices(upto)) for upto in (2, 4, 6)))
    delete_before(kafka, topic, 4)
    with pytest.raises(OffsetLostError, match=rf"^{topic}-0: entries of the journal from offset 2 on were to be read"):
        take(opened(topic, JournalState(2, {})), 1)


def test_a_message_of_ours_that_is_no_entry_ends_it(kafka: str, opened: Callable[..., JournalReader]) -> None:
    topic = new_topic(kafka)
    publish(kafka, entry(topic, slices(2)), entry(topic, b'{"shard":7}'))
    with pytest.raises(JournalError) as ended:
        take(opened(topic), 2)
    assert str(ended.value).startswith(
        f"{topic}-0: the message at offset 2 is no entry of the journal: Expected `str`, got `int` - at `$.shard`. What"
    )
    assert "penstock tail journal --json --from 2 -n 1" in str(ended.value)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"ts": [1]}, "columns of different lengths: slot 2, ts 1,"),
        ({"timeframes": ["1m"]}, "2 symbols, but 1 timeframes"),
        ({"timeframes": ["1m", "1x"]}, "1x"),
        ({"signal_row": []}, "1 signals, but 0 rows that raised them"),
        ({"signal_row": [2]}, r"signals of rows \[2\], but 2 rows"),
        ({"slot": [0, 2]}, "slots from 0 to 2, but 2 symbols"),
        ({"position": [1, 0]}, "positions that fall"),
        ({"ts": [1, 2**70]}, "too (big|large)|out of range"),
        ({"venue": "x"}, "unknown field `venue`"),
    ],
)
def test_what_contradicts_itself_is_no_entry(change: dict[str, Any], wrong: str) -> None:
    good = json.loads(encode(slices(2).record()))
    assert read_slices(json.dumps(good).encode()).upto == 2
    with pytest.raises(ValueError, match=wrong):
        read_slices(json.dumps({**good, **change}).encode())


def test_rows_may_be_of_one_position() -> None:
    flat = replace(slices(2), position=np.array([1, 1]))
    assert read_slices(encode(flat.record())).position.tolist() == [1, 1]
