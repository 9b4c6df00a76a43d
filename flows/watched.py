"""Steps whose calls are watched: polls are progress, what waits for the broker is known to wait, errors are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from flows.cause import Cause
from sinks.vitals.health import Health


class _Reader(StatefulSourcePartition[Any, Any]):
    def __init__(self, part: StatefulSourcePartition[Any, Any], health: Health, cause: Cause) -> None:
        self._part, self._health, self._cause = part, health, cause

    def next_batch(self) -> Any:
        self._health.beat()
        with self._cause:
            return self._part.next_batch()

    def next_awake(self) -> datetime | None:
        return self._part.next_awake()

    def snapshot(self) -> Any:
        with self._cause:
            return self._part.snapshot()

    def close(self) -> None:
        self._part.close()


class WatchedSource(FixedPartitionedSource[Any, Any]):
    """The same source; each poll is a beat."""

    def __init__(self, source: FixedPartitionedSource[Any, Any], health: Health, cause: Cause) -> None:
        self._source, self._health, self._cause = source, health, cause

    def list_parts(self) -> list[str]:
        """As the source says."""
        with self._cause:
            return self._source.list_parts()

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> StatefulSourcePartition[Any, Any]:
        """Open a part, which may wait for the broker."""
        with self._cause, self._health.opening(f"source {for_part}"):
            return _Reader(self._source.build_part(step_id, for_part, resume_state), self._health, self._cause)


class _Writer(StatefulSinkPartition[Any, Any]):
    def __init__(self, part: StatefulSinkPartition[Any, Any], name: str, health: Health, cause: Cause) -> None:
        self._part, self._name, self._health, self._cause = part, name, health, cause

    def write_batch(self, items: list[Any]) -> None:
        with self._cause, self._health.waiting(self._name):
            self._part.write_batch(items)

    def snapshot(self) -> Any:
        with self._cause, self._health.waiting(self._name):
            return self._part.snapshot()

    def close(self) -> None:
        self._part.close()


class WatchedSink(FixedPartitionedSink[Any, Any]):
    """The same sink; its calls may wait for the broker."""

    def __init__(self, sink: FixedPartitionedSink[Any, Any], health: Health, cause: Cause) -> None:
        self._sink, self._health, self._cause = sink, health, cause

    def list_parts(self) -> list[str]:
        """As the sink says."""
        return self._sink.list_parts()

    def part_fn(self, item_key: str) -> int:
        """As the sink says."""
        return self._sink.part_fn(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> StatefulSinkPartition[Any, Any]:
        """Open a part, which waits until everything of an earlier process is settled."""
        name = f"publisher {for_part}"
        with self._cause, self._health.opening(name):
            return _Writer(self._sink.build_part(step_id, for_part, resume_state), name, self._health, self._cause)


class _Logic(StatefulBatchLogic[Any, Any, Any]):
    def __init__(self, logic: StatefulBatchLogic[Any, Any, Any], cause: Cause) -> None:
        self._logic, self._cause = logic, cause

    def on_batch(self, values: list[Any]) -> Any:
        with self._cause:
            return self._logic.on_batch(values)

    def snapshot(self) -> Any:
        with self._cause:
            return self._logic.snapshot()


Build = Callable[[Any], StatefulBatchLogic[Any, Any, Any]]


def watched(build: Build, cause: Cause) -> Build:
    """The same stateful step, for one that is driven by batches alone."""

    def built(state: Any) -> _Logic:
        with cause:
            return _Logic(build(state), cause)

    return built
