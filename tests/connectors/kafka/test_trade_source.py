"""The source of trades on a real broker: it says when a partition stands still, and up to where it has read."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from connectors.kafka.trade_source import TradeReader, TradeTopicSource
from flows.bars.stage import BarStage
from flows.market.stage import MarketStage
from schemas.batch import TradeBatch
from schemas.config.market import MarketConfig
from schemas.tick import Tick
from tests.connectors.kafka.reading import wait
from tests.connectors.kafka.test_trade_topic import clock, trade
from tests.kafka.topics import new_topic


def put(kafka: str, topic: str, *messages: tuple[bytes | None, bytes]) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    for key, value in messages:
        producer.produce(topic, value, key, partition=0)
    assert producer.flush(30) == 0


def until_ticks(part: TradeReader, count: int) -> list[TradeBatch | Tick]:
    items: list[TradeBatch | Tick] = []
    while sum(isinstance(item, Tick) for item in items) < count:
        got = [item for _, item in part.next_batch()]
        items += got
        if not got:
            wait(part)
    return items


def test_a_shard_says_how_far_it_has_read_once_when_its_partition_stands_still(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.kafka.ticker.EVERY_S", 0.1)
    topic = new_topic(kafka)
    source = TradeTopicSource({"bootstrap.servers": kafka}, topic, topic)
    part = source.build_part("in", f"{topic}-0", None)
    assert isinstance(part, TradeReader)
    config = MarketConfig.model_validate({"bars": {"timeframes": ["1m"]}})
    stage = BarStage(config, MarketStage(config, [], [f"{topic}-0"]))
    said: list[int] = []
    for last, sent in ((2, (trade(1), clock(2))), (4, (trade(3), trade(4)))):
        put(kafka, topic, *sent)
        items = until_ticks(part, 4)
        batches = [item for item in items if isinstance(item, TradeBatch)]
        assert [item.upto for item in items if isinstance(item, Tick)] == [last] * 4
        assert [len(batch) for batch in batches].count(0) == 1
        assert len(batches[-1]) == 0, "the empty one stands behind the trades"
        said += [slices.upto for batch in batches if (slices := stage.step(batch).slices) is not None]
        assert said[-1] == last
    part.close()
