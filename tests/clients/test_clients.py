"""What others write, we read; what we write, others read; and how far behind we are, others see."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from connectors.kafka.candle_source import CandleTopicSource
from schemas.batch import CandleBatch
from schemas.topics import TOPICS
from sinks.kafka.envelope import Message
from sinks.kafka.messages import message as message_of
from sinks.kafka.publisher import Publisher
from tests.clients.conftest import Kcat
from tests.command import environment
from tests.connectors.kafka.messages import message
from tests.connectors.kafka.reading import Row, produce, rows, take
from tests.kafka.tools import CONSUMER, GROUPS, PRODUCER, tool
from tests.kafka.topics import QUIET, new_topic, raw
from tests.schemas.examples import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
SYMBOLS = ("BTC/USDT", "ETH/USDT:USDT")
COUNT = 20


@pytest.fixture
def topic(kafka: str) -> str:
    return new_topic(kafka)


def lines() -> bytes:
    """Candles with their keys, one a line."""
    written = [(SYMBOLS[number % 2], number // 2 + 1) for number in range(COUNT)]
    return b"".join(symbol.encode() + b"\t" + message(minute, symbol) + b"\n" for symbol, minute in written)


def wanted() -> list[Row]:
    return [(SYMBOLS[number % 2], (number // 2 + 1) * 60_000, number) for number in range(COUNT)]


def received(address: str, topic: str, count: int) -> list[CandleBatch]:
    part = CandleTopicSource({"bootstrap.servers": address}, f"group-{topic}", topic).build_part(
        "in", f"{topic}-0", None
    )
    try:
        return take(part, count)
    finally:
        part.close()


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_candles_that_kcat_wrote_are_read(kcat: Kcat, kafka: str, topic: str, codec: str) -> None:
    kcat("-P", "-b", kafka, "-t", topic, "-K", "\\t", "-z", codec, "-H", "feed=kcat", stdin=lines())
    assert rows(received(kafka, topic, COUNT)) == wanted()


def test_what_kcat_wrote_that_is_no_candle_is_refused_with_key_and_headers(kcat: Kcat, kafka: str, topic: str) -> None:
    kcat("-P", "-b", kafka, "-t", topic, "-k", "BTC/USDT", "-H", "feed=kcat", "-H", "none", stdin=b"no candle")
    kcat("-P", "-b", kafka, "-t", topic, "-Z", "-K", "\\t", stdin=b"BTC/USDT\t\n")
    refused = [one for batch in received(kafka, topic, 2) for one in batch.refused]
    assert [(one.key, one.headers, one.raw) for one in refused] == [
        ("BTC/USDT", ("feed=kcat", "none"), b"no candle"),
        ("BTC/USDT", (), None),
    ]


def test_candles_that_kafkas_console_producer_wrote_are_read(kafka_jars: Path, kafka: str, topic: str) -> None:
    words = ("--topic", topic, "--property", "parse.key=true", "--compression-codec", "zstd")
    tool(kafka_jars, kafka, PRODUCER, *words, stdin=lines().decode())
    assert rows(received(kafka, topic, COUNT)) == wanted()


@pytest.fixture
def published(kafka: str, topic: str) -> list[Message]:
    """Orders that our publisher wrote, each after a record of somebody else whose transaction was aborted."""
    order = replace(message_of("orders", TOPICS["orders"].record(**EXAMPLES["orders"]), "main"), topic=topic)
    orders = [replace(order, id=f"order-{number}") for number in range(3)]
    publisher = Publisher({"bootstrap.servers": kafka}, topic, "main", [topic], None, lambda one: (one,), log=QUIET)
    for number, one in enumerate(orders):
        other(kafka, topic, f"{topic}-{number}").abort_transaction(30)
        publisher.publish([one])
    assert [one.value() for one in raw(kafka, topic, "read_uncommitted")].count(b"never committed") == len(orders)
    return orders


def other(address: str, topic: str, name: str) -> Producer:
    """A producer in the middle of a transaction, with a record on the topic."""
    producer = Producer({"bootstrap.servers": address, "transactional.id": name}, logger=QUIET)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"never committed")
    producer.flush(30)
    return producer


def headers_of(one: Message) -> list[tuple[str, str]]:
    part = f"{one.topic}.main"
    return [("id", one.id), ("part", part), ("schema", one.schema), ("traceparent", one.traceparent)]


def shown(one: Message, between: str) -> str:
    """Key, headers and value, as a tool prints them."""
    return "\t".join((one.key, ",".join(f"{k}{between}{v}" for k, v in headers_of(one)), one.value.decode()))


def test_kcat_reads_what_we_committed(kcat: Kcat, kafka: str, topic: str, published: list[Message]) -> None:
    committed = ("-X", "isolation.level=read_committed")
    found = kcat("-C", "-b", kafka, "-t", topic, "-e", "-q", *committed, "-f", "%k\\t%h\\t%s\\n")
    assert found.decode().splitlines() == [shown(one, "=") for one in published]


def test_kafkas_console_consumer_reads_what_we_committed(
    kafka_jars: Path, kafka: str, topic: str, published: list[Message]
) -> None:
    show = [word for what in ("key", "headers") for word in ("--property", f"print.{what}=true")]
    words = ("--from-beginning", "--isolation-level", "read_committed", "--max-messages", "3", *show)
    found = tool(kafka_jars, kafka, CONSUMER, "--topic", topic, *words)
    # It prints the headers before the key.
    parts = [shown(one, ":").split("\t") for one in published]
    assert found.splitlines() == ["\t".join((headers, key, value)) for key, headers, value in parts]


@pytest.fixture
def read(kafka: str, tmp_path: Path) -> tuple[str, str]:
    """A topic of two partitions, and a group of ours that had read it all, durably, when it was killed."""
    topic = new_topic(kafka, 2)
    group = f"group-{topic}"
    for partition, count in enumerate((30, 7)):
        produce(kafka, topic, [message(minute) for minute in range(1, count + 1)], partition)
    words = [sys.executable, "-m", "tests.clients.child", kafka, topic, group, str(tmp_path / "state")]
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stderr=subprocess.PIPE) as child:
        while committed(kafka, topic, group) != [30, 7]:
            if child.poll() is not None:
                raise AssertionError(child.communicate()[1].decode())
        child.kill()
    return topic, group


def committed(address: str, topic: str, group: str) -> list[int]:
    consumer = Consumer({"bootstrap.servers": address, "group.id": group}, logger=QUIET)
    try:
        return [found.offset for found in consumer.committed([TopicPartition(topic, at) for at in (0, 1)], 30)]
    finally:
        consumer.close()


def test_kafka_consumer_groups_shows_how_far_behind_we_are(kafka_jars: Path, kafka: str, read: tuple[str, str]) -> None:
    topic, group = read
    produce(kafka, topic, [message(minute) for minute in range(31, 43)])
    assert lag(kafka_jars, kafka, group) == {(topic, 0): (30, 42, 12), (topic, 1): (7, 7, 0)}


def lag(jars: Path, address: str, group: str) -> dict[tuple[str, int], tuple[int, ...]]:
    """Committed offset, end and lag of each partition, as Kafka's own tool tells them."""
    header, *table = (
        line.split() for line in tool(jars, address, GROUPS, "--describe", "--group", group).splitlines() if line
    )
    names = ("CURRENT-OFFSET", "LOG-END-OFFSET", "LAG")
    found = [dict(zip(header, line, strict=False)) for line in table]
    return {(one["TOPIC"], int(one["PARTITION"])): tuple(int(one[name]) for name in names) for one in found}
