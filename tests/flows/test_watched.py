from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from flows.watched import Watch, WatchedLogic, WatchedSink, WatchedSource
from sinks.vitals.health import Health

LATER = datetime(2026, 1, 1, tzinfo=UTC)


class Told:
    """A health whose clock is set, and what was raised."""

    def __init__(self) -> None:
        self.now = 0.0
        self.health = Health(lambda: self.now)
        self.errors: list[str] = []
        self.watch = Watch(self.health, lambda error: self.errors.append(str(error)))
        self.seen: list[Any] = []

    def look(self) -> None:
        """Remember what waits now."""
        self.seen.append(list(self.health.ready().body["waiting_s"]))


class Reader(StatefulSourcePartition[int, int]):
    def __init__(self, told: Told) -> None:
        self.told, self.closed = told, False

    def next_batch(self) -> list[int]:
        self.told.look()
        if self.closed:
            raise StopIteration
        return [1, 2]

    def next_awake(self) -> datetime | None:
        return LATER

    def snapshot(self) -> int:
        return 7

    def close(self) -> None:
        self.closed = True


class Source(FixedPartitionedSource[int, int]):
    def __init__(self, told: Told) -> None:
        self.told, self.built = told, list[tuple[str, str, int | None]]()

    def list_parts(self) -> list[str]:
        return ["a", "b"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> Reader:
        self.told.look()
        self.built.append((step_id, for_part, resume_state))
        if for_part == "b":
            raise RuntimeError("no broker")
        return Reader(self.told)


class Writer(StatefulSinkPartition[int, int]):
    def __init__(self, told: Told) -> None:
        self.told, self.items, self.closed = told, list[int](), False

    def write_batch(self, items: list[int]) -> None:
        self.told.look()
        self.items += items
        if 13 in items:
            raise RuntimeError("refused")

    def snapshot(self) -> int:
        self.told.look()
        return len(self.items)

    def close(self) -> None:
        self.closed = True


class Sink(FixedPartitionedSink[int, int]):
    def __init__(self, told: Told) -> None:
        self.told, self.writer = told, Writer(told)

    def list_parts(self) -> list[str]:
        return ["x", "y"]

    def part_fn(self, item_key: str) -> int:
        return self.list_parts().index(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> Writer:
        self.told.look()
        return self.writer


def test_a_watched_source_is_the_same_source() -> None:
    told = Told()
    source = Source(told)
    watched = WatchedSource(source, told.watch)
    assert watched.list_parts() == ["a", "b"]
    part = watched.build_part("step", "a", 5)
    assert source.built == [("step", "a", 5)]
    assert (list(part.next_batch()), part.next_awake(), part.snapshot()) == ([1, 2], LATER, 7)
    part.close()
    with pytest.raises(StopIteration):
        part.next_batch()
    assert told.errors == []  # its end is no failure


def test_a_poll_is_a_beat_and_opening_is_known_to_wait() -> None:
    told = Told()
    part = WatchedSource(Source(told), told.watch).build_part("step", "a", None)
    assert told.seen == [["source a"]]
    assert told.health.ready().body["reasons"] == ["no source has been polled yet"]
    told.now = 50.0
    part.next_batch()
    assert told.seen[1:] == [[]]
    told.now = 51.5
    assert told.health.ready().ok
    assert told.health.live().body["progress_s_ago"] == 1.5


def test_what_is_raised_while_a_part_opens_is_told_and_is_no_more_ready() -> None:
    told = Told()
    with pytest.raises(RuntimeError, match="no broker"):
        WatchedSource(Source(told), told.watch).build_part("step", "b", None)
    assert told.errors == ["no broker"]
    assert told.health.ready().body["reasons"][0] == "source b: no broker"


def test_a_watched_sink_is_the_same_sink_whose_calls_are_known_to_wait() -> None:
    told = Told()
    sink = Sink(told)
    watched = WatchedSink(sink, told.watch)
    assert (watched.list_parts(), watched.part_fn("y")) == (["x", "y"], 1)
    part = watched.build_part("step", "y", None)
    part.write_batch([1, 2])
    assert (part.snapshot(), sink.writer.items) == (2, [1, 2])
    assert told.seen == [["publisher y"]] * 3
    assert told.health.ready().body["waiting_s"] == {}
    part.close()
    assert sink.writer.closed


def test_what_a_sink_raises_is_told() -> None:
    told = Told()
    part = WatchedSink(Sink(told), told.watch).build_part("step", "x", None)
    with pytest.raises(RuntimeError, match="refused"):
        part.write_batch([13])
    assert told.errors == ["refused"]
    assert told.health.ready().body["reasons"][0] == "publisher x: refused"


class Sums(StatefulBatchLogic[int, int, int]):
    def __init__(self, state: int | None) -> None:
        if state is not None and state < 0:
            raise ValueError("no such state")
        self.sum = state or 0

    def on_batch(self, values: list[int]) -> tuple[list[int], bool]:
        self.sum += sum(values)
        if self.sum > 100:
            raise ValueError("too much")
        return [self.sum], self.RETAIN

    def snapshot(self) -> int:
        return self.sum


def test_a_watched_logic_is_the_same_state_machine() -> None:
    told = Told()
    logic = WatchedLogic(Sums, told.watch, None)
    assert logic.on_batch([1, 2]) == ([3], StatefulBatchLogic.RETAIN)
    assert logic.snapshot() == 3
    assert WatchedLogic(Sums, told.watch, 40).on_batch([2]) == ([42], StatefulBatchLogic.RETAIN)
    assert told.errors == []


def test_what_a_logic_raises_is_told() -> None:
    told = Told()
    with pytest.raises(ValueError, match="too much"):
        WatchedLogic(Sums, told.watch, 40).on_batch([61])
    with pytest.raises(ValueError, match="no such state"):
        WatchedLogic(Sums, told.watch, -1)
    assert told.errors == ["too much", "no such state"]


def test_who_is_told_may_end_the_process() -> None:
    def ends(_: Exception) -> None:
        raise SystemExit(2)

    with pytest.raises(SystemExit), Watch(Health(), ends)():
        raise RuntimeError("the end")
