from __future__ import annotations

from datetime import datetime
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from flows.marks import Mark, MarkedSource


class Part(StatefulSourcePartition[Any, Any]):
    def __init__(self, batches: list[list[Any]]) -> None:
        self.batches = batches

    def next_batch(self) -> list[Any]:
        return self.batches.pop(0)

    def next_awake(self) -> datetime | None:
        return None

    def snapshot(self) -> str:
        return "state"


class Source(FixedPartitionedSource[Any, Any]):
    def list_parts(self) -> list[str]:
        return ["a-0"]

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> Part:
        return Part([[("a-0", 1)], [], [], [("a-0", 2)]])


def test_a_part_marks_each_epoch_once_also_when_nothing_comes_in_it() -> None:
    source = MarkedSource(Source(), lambda part: f"key of {part}")
    assert source.list_parts() == ["a-0"]
    part = source.build_part("in", "a-0", None)
    mark = ("key of a-0", Mark())
    assert part.next_batch() == [mark, ("a-0", 1)]
    assert part.next_batch() == []
    assert part.snapshot() == "state"
    assert part.next_batch() == [mark]
    assert part.next_batch() == [("a-0", 2)]
