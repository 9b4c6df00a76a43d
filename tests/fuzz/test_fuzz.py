from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from connectors.kafka.candle_source import CandleReader, CandleTopicSource
from schemas.batch import CandleBatch
from tests.command import environment
from tests.connectors.kafka.reading import wait
from tests.fuzz.judge import Judge
from tests.fuzz.messages import FAULTS, GOOD, fuzzed
from tests.kafka.topics import QUIET, new_topic

ROOT = Path(__file__).resolve().parents[2]
COUNT = 100_000
BROKER = 10_000  # the same through a broker
MEMORY = 64 * 2**20  # bytes: less than the messages have together


def test_the_same_seed_gives_the_same_messages_and_another_seed_others() -> None:
    one, again, other = (list(fuzzed(seed, 300)) for seed in (1, 1, 2))
    assert one == again != other
    assert sum(kind != GOOD for *_, kind in one) == 300


def test_each_of_many_bad_messages_is_one_dead_letter_and_every_good_one_is_a_row_within_bounded_memory() -> None:
    words = [sys.executable, "-m", "tests.fuzz.child", "1", str(COUNT), str(MEMORY)]
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    kinds = json.loads(done.stdout)
    assert set(kinds) == {GOOD, *FAULTS}
    assert sum(kinds.values()) - kinds[GOOD] == COUNT
    assert min(kinds.values()) > 30


@pytest.fixture
def topic(kafka: str) -> str:
    return new_topic(kafka)


def produce(address: str, topic: str, seed: int, count: int) -> int:
    """Put the messages on the only partition of a topic. Returns how many there are."""
    producer, total, refused = Producer({"bootstrap.servers": address}, logger=QUIET), 0, list[Any]()

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            refused.append(error)

    for key, value, headers, _ in fuzzed(seed, count):
        while True:
            try:
                producer.produce(topic, value, key, headers=headers, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
        total += 1
    assert producer.flush(60) == 0
    assert refused == []
    return total


def read(part: CandleReader, judge: Judge, count: int) -> None:
    while part.snapshot().upto < count:
        batches = [item for _, item in part.next_batch() if isinstance(item, CandleBatch)]
        for batch in batches:
            judge(batch)
        if not batches:
            wait(part)


def test_the_same_through_a_broker(kafka: str, topic: str) -> None:
    total = produce(kafka, topic, 2, BROKER)
    source = CandleTopicSource({"bootstrap.servers": kafka}, f"group-{topic}", topic)
    part = source.build_part("in", f"{topic}-0", None)
    judge = Judge(fuzzed(2, BROKER), f"{topic}-0")
    try:
        read(part, judge, total)
    finally:
        part.close()
    kinds = judge.done(total)
    assert set(kinds) == {GOOD, *FAULTS}
    assert sum(kinds.values()) - kinds[GOOD] == BROKER
