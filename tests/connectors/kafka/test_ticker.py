from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.candle_source import CandleReader, CandleTopicSource, SourceState
from flows.market.stage import MarketStage
from schemas.batch import CandleBatch
from schemas.config.market import MarketConfig
from schemas.tick import Tick
from tests.connectors.kafka.messages import message
from tests.connectors.kafka.reading import produce, transaction, wait
from tests.kafka.topics import QUIET, new_topic

NOW_MS = 1_700_000_000_000
Opened = Callable[..., CandleReader]


@pytest.fixture
def opened(kafka: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Makes readers that tick ten times a second, and whose clock stands still."""
    monkeypatch.setattr("connectors.kafka.ticker.EVERY_S", 0.1)
    made: list[CandleReader] = []

    def make(topic: str, state: SourceState | None = None, start: str = "beginning", rows: int = 10) -> CandleReader:
        client = {"bootstrap.servers": kafka}
        source = CandleTopicSource(client, topic, topic, start, rows, clock=lambda: NOW_MS / 1_000)  # type: ignore[arg-type]
        made.append(source.build_part("in", f"{topic}-0", state))
        return made[-1]

    yield make
    for one in made:
        one.close()


def until_tick(part: CandleReader, count: int = 1) -> list[CandleBatch | Tick]:
    """Everything up to that many ticks."""
    items: list[CandleBatch | Tick] = []
    while sum(isinstance(item, Tick) for item in items) < count:
        got = [item for _, item in part.next_batch()]
        items += got
        if not got:
            wait(part)
    return items


def said(items: list[CandleBatch | Tick]) -> list[str]:
    return [f"tick {item.upto}" if isinstance(item, Tick) else f"{item.position.tolist()}" for item in items]


def test_a_tick_comes_when_all_is_handed_over_and_says_where_and_when(kafka: str, opened: Opened) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, [message(minute) for minute in range(1, 31)])
    items = until_tick(opened(topic))
    assert [item for item in items if isinstance(item, Tick)] == [Tick(f"{topic}-0", 30, NOW_MS)]
    assert isinstance(items[-1], Tick)
    assert sum(len(item) for item in items if isinstance(item, CandleBatch)) == 30


def test_ticks_go_on_while_nothing_comes_and_keep_their_distance(
    kafka: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    now = [0.0]

    def monotonic() -> float:
        now[0] += 0.01
        return now[0]

    monkeypatch.setattr("connectors.kafka.ticker.monotonic", monotonic)
    topic = new_topic(kafka)
    part = opened(topic)
    for _ in range(4):
        assert said(until_tick(part)) == ["tick 0"]
        asked.append(now[0])
    assert min(later - before for before, later in pairwise(asked)) >= 0.1


def test_what_transactions_leave_behind_the_last_message_is_not_counted(kafka: str, opened: Opened) -> None:
    topic = new_topic(kafka)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic}, logger=QUIET)
    producer.init_transactions(30)
    part = opened(topic)
    assert said(until_tick(part)) == ["tick 0"]
    transaction(producer, topic, message(1))
    assert said(until_tick(part, 2))[-2:] == ["tick 1", "tick 1"]
    transaction(producer, topic, message(2), commit=False)
    assert said(until_tick(part, 2)) == ["tick 1", "tick 1"]
    assert part.snapshot()[::2] == (4, 1)
    transaction(producer, topic, message(3))
    items = said(until_tick(part, 3))
    assert [item for item in items if not item.startswith("tick")] == ["[4]"]
    assert items[-1] == "tick 5"


def test_an_open_transaction_is_nothing_yet(kafka: str, opened: Opened) -> None:
    topic = new_topic(kafka)
    produce(kafka, topic, [message(1)])
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic}, logger=QUIET)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, message(2))
    assert producer.flush(30) == 0
    part = opened(topic)
    assert said(until_tick(part, 2)) == ["[0]", "tick 1", "tick 1"]
    producer.commit_transaction(30)
    items = said(until_tick(part, 3))
    assert [item for item in items if not item.startswith("tick")] == ["[1]"]
    assert items[-1] == "tick 2"


def test_ticks_name_the_position_that_the_market_stage_has_said(kafka: str, opened: Opened) -> None:
    topic = new_topic(kafka)
    shard = f"{topic}-0"
    produce(kafka, topic, [message(minute) for minute in range(1, 31)])
    stage = MarketStage(MarketConfig(empty_candle="none"), [], [shard])
    late = opened(topic, start="end")
    assert said(until_tick(late)) == [f"tick {stage.upto}"]
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_records([TopicPartition(topic, 0, 30)])[TopicPartition(topic, 0, 30)].result()
    empty = opened(topic)
    assert said(until_tick(empty)) == [f"tick {stage.upto}"]
    produce(kafka, topic, [message(31), b"broken"])
    for part in (late, empty):
        stage = MarketStage(MarketConfig(empty_candle="none"), [], [shard])
        upto = 0
        for item in until_tick(part, 3):
            if isinstance(item, CandleBatch):
                slices = stage.step(item).slices
                assert slices is not None
                upto = slices.upto
            else:
                assert item.upto == upto
        assert upto == 32
    resumed = opened(topic, late.snapshot())
    assert said(until_tick(resumed)) == ["tick 32"]
