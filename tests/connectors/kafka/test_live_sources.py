"""Both sources in a dataflow of Bytewax, in a process of their own, on a real broker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.connectors.kafka.messages import message
from tests.connectors.kafka.reading import produce
from tests.connectors.kafka.test_journal_source import entry, publish, slices
from tests.kafka.broker import Broker
from tests.kafka.topics import new_topic

ROOT = Path(__file__).resolve().parents[3]
Lines = list[dict[str, Any]]


class Child:
    """The process, and the lines that it has printed."""

    def __init__(self, settings: dict[str, str]) -> None:
        command = (sys.executable, "-m", "tests.connectors.kafka.live_child", json.dumps(settings))
        self.process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines: Lines = []

    def until(self, done: Callable[[Lines], bool]) -> None:
        """Read lines until that is true of all of them."""
        assert self.process.stdout is not None
        while not done(self.lines):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            self.lines.append(json.loads(line))

    def at(self, part: str) -> list[int]:
        """What was handed over of a part: positions of candles, or ``upto`` of slices."""
        return [at for line in self.lines if line.get("part") == part for at in line.get("at", [])]

    def durable(self, part: str) -> int:
        """The newest durable offset, 0 when there is none."""
        return max((line["offset"] for line in self.lines if line.get("durable") == part), default=0)

    def ticked(self, part: str, upto: int) -> bool:
        """Whether there was a tick at that position."""
        return any(line.get("part") == part and line.get("tick") == upto for line in self.lines)

    def kill(self) -> None:
        """As ``kill -9``."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.lines += [json.loads(line) for line in self.process.stdout if line.endswith("\n")]


@pytest.fixture
def child() -> Iterator[Callable[[dict[str, str]], Child]]:
    """Starts processes that are gone behind the test."""
    made: list[Child] = []

    def make(settings: dict[str, str]) -> Child:
        made.append(Child(settings))
        return made[-1]

    yield make
    for one in made:
        one.kill()


def settings(address: str, folder: Path) -> dict[str, str]:
    topics = {"candles": new_topic(address, 2), "journal": new_topic(address)}
    return {"address": address, "state": str(folder / "state"), **topics}


def feed(at: dict[str, str], begin: int, end: int) -> None:
    """Candles to both partitions, and an entry of the journal for each."""
    for partition in (0, 1):
        produce(at["address"], at["candles"], [message(minute + 1) for minute in range(begin, end)], partition)
    publish(at["address"], *(entry(at["journal"], slices(2 + minute)) for minute in range(begin, end)))


def test_a_killed_flow_goes_on_where_it_was_durable_and_stops_where_offsets_are_lost(
    kafka: str, tmp_path: Path, child: Callable[[dict[str, str]], Child]
) -> None:
    at = settings(kafka, tmp_path)
    shards, journal = [f"{at['candles']}-{partition}" for partition in (0, 1)], f"{at['journal']}-0"
    feed(at, 0, 10)
    first = child(at)
    first.until(lambda _: all(first.ticked(shard, 10) for shard in shards) and first.durable(journal) >= 20)
    first.until(lambda _: all(first.durable(shard) == 10 for shard in shards))
    feed(at, 10, 15)
    first.until(lambda _: all(first.at(shard)[-1:] == [14] for shard in shards))
    first.kill()
    feed(at, 15, 20)
    second = child(at)
    second.until(
        lambda _: all(second.ticked(shard, 20) for shard in shards) and second.at("portfolio-main")[-1:] == [21]
    )
    for part, last in ((shards[0], 19), (shards[1], 19), ("portfolio-main", 21)):
        begun, rest = first.at(part), second.at(part)
        assert begun == list(range(begun[0], begun[-1] + 1))
        assert rest == list(range(rest[0], last + 1))
        assert rest[0] <= begun[-1] + 1
    assert [second.at(shard)[0] >= 10 for shard in shards] == [True, True]
    assert second.at("portfolio-main")[0] >= 12
    second.kill()
    feed(at, 20, 25)
    admin, lost = AdminClient({"bootstrap.servers": kafka}), TopicPartition(at["candles"], 1, 24)
    admin.delete_records([lost])[lost].result()
    third = child(at)
    _, error = third.process.communicate(timeout=60)
    assert third.process.returncode == 1
    assert f"OffsetLostError: {shards[1]}: candles from offset" in error
    assert "but the broker has 24 to 24: retention has deleted them" in error


@pytest.mark.long
def test_in_an_outage_nothing_ends_and_nothing_ticks(
    kafka_jars: Path, tmp_path: Path, child: Callable[[dict[str, str]], Child]
) -> None:
    broker = Broker(tmp_path / "broker").start()
    try:
        at = settings(broker.address, tmp_path)
        shards, journal = [f"{at['candles']}-{partition}" for partition in (0, 1)], f"{at['journal']}-0"
        feed(at, 0, 3)
        flow = child(at)
        flow.until(lambda _: all(flow.ticked(shard, 3) for shard in shards))
        broker.stop()
        gone_ms = time.time() * 1_000
        flow.until(lambda lines: {line["trouble"] for line in lines if "trouble" in line} == {*shards, journal})
        begun = len(flow.lines)
        flow.until(lambda lines: sum("durable" in line for line in lines[begun:]) >= 30)  # so it goes on meanwhile
        back_ms = time.time() * 1_000
        broker.start()
        feed(at, 3, 6)
        flow.until(lambda _: all(flow.ticked(shard, 6) for shard in shards) and flow.at("portfolio-main")[-1:] == [7])
        assert [flow.at(shard) for shard in shards] == [[0, 1, 2, 3, 4, 5]] * 2
        assert flow.at("portfolio-main") == [2, 3, 4, 5, 6, 7]
        assert [line for line in flow.lines if "tick" in line and gone_ms <= line["now_ms"] <= back_ms] == []
    finally:
        broker.stop()
