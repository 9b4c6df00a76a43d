"""Feeds of two exchanges on one set of topics: who came later is told of the other."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Producer

from connectors.kafka.beside import WITHIN_MS, fed_beside
from connectors.kafka.connection import Connection
from schemas.config.kafka import KafkaConfig
from schemas.metric import Metric
from schemas.wire import encode, wire
from tests.kafka.topics import QUIET, new_topic

NOW = 1_700_000_000_000
METRIC = wire(Metric)


def told(kafka: str, *rows: tuple[int, str, str, str]) -> Any:
    """A topic with metrics: so many ms ago, name, exchange, key."""
    topic, producer = new_topic(kafka), Producer({"bootstrap.servers": kafka}, logger=QUIET)
    for ago, name, exchange, key in rows:
        labels = {"exchange": exchange, "key": key} if key else {"exchange": exchange}
        value = encode(METRIC(ts=NOW - ago, name=name, value=1.0, labels=labels))
        producer.produce(topic, value, name, timestamp=NOW - ago)
    producer.produce(topic, b"{", "feed_frames", timestamp=NOW)
    producer.produce(topic, b"{", "equity", timestamp=NOW)
    assert producer.flush(60) == 0
    connection = Connection(KafkaConfig(bootstrap_servers=kafka))

    def look(exchange: str, key: str = "") -> tuple[str, int] | None:
        return fed_beside(connection, topic, exchange, NOW, key)

    return look


def test_the_newest_word_of_another_exchange_counts_for_three_minutes(kafka: str) -> None:
    look = told(
        kafka,
        (WITHIN_MS + 1, "feed_frames", "bitunix", ""),
        (90_000, "feed_frames", "kraken", ""),
        (30_000, "feed_trades", "kraken", ""),
        (10_000, "feed_trades", "binance", ""),
    )
    assert (look("binance"), look("kraken"), look("coinbase")) == (
        ("kraken", 30_000), ("binance", 10_000), ("binance", 10_000),
    )  # fmt: skip


def test_of_two_that_begin_at_the_same_time_the_later_one_gives_way(kafka: str) -> None:
    look = told(kafka, (9, "feed_opened", "binance", "a"), (8, "feed_opened", "kraken", "b"))
    assert (look("binance", "a"), look("kraken", "b")) == (None, ("binance", 9))
    assert look("binance", "not there yet") == ("kraken", 8)


def test_nobody_else_is_nobody(kafka: str) -> None:
    assert told(kafka)("binance") is None
    assert told(kafka, (5, "feed_opened", "binance", "x"))("binance") is None
