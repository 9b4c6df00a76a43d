"""Sources and sinks whose calls are watched: polls are progress, and what waits for the broker is known to wait."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from sinks.vitals.health import Health


class _Reader(StatefulSourcePartition[Any, Any]):
    def __init__(self, part: StatefulSourcePartition[Any, Any], health: Health) -> None:
        self._part, self._health = part, health

    def next_batch(self) -> Any:
        self._health.beat()
        return self._part.next_batch()

    def next_awake(self) -> datetime | None:
        return self._part.next_awake()

    def snapshot(self) -> Any:
        return self._part.snapshot()

    def close(self) -> None:
        self._part.close()


class WatchedSource(FixedPartitionedSource[Any, Any]):
    """The same source; each poll is a beat."""

    def __init__(self, source: FixedPartitionedSource[Any, Any], health: Health) -> None:
        self._source, self._health = source, health

    def list_parts(self) -> list[str]:
        """As the source says."""
        return self._source.list_parts()

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> StatefulSourcePartition[Any, Any]:
        """Open a part, which may wait for the broker."""
        with self._health.opening(f"source {for_part}"):
            return _Reader(self._source.build_part(step_id, for_part, resume_state), self._health)


class _Writer(StatefulSinkPartition[Any, Any]):
    def __init__(self, part: StatefulSinkPartition[Any, Any], name: str, health: Health) -> None:
        self._part, self._name, self._health = part, name, health

    def write_batch(self, items: list[Any]) -> None:
        with self._health.waiting(self._name):
            self._part.write_batch(items)

    def snapshot(self) -> Any:
        with self._health.waiting(self._name):
            return self._part.snapshot()

    def close(self) -> None:
        self._part.close()


class WatchedSink(FixedPartitionedSink[Any, Any]):
    """The same sink; its calls may wait for the broker."""

    def __init__(self, sink: FixedPartitionedSink[Any, Any], health: Health) -> None:
        self._sink, self._health = sink, health

    def list_parts(self) -> list[str]:
        """As the sink says."""
        return self._sink.list_parts()

    def part_fn(self, item_key: str) -> int:
        """As the sink says."""
        return self._sink.part_fn(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> StatefulSinkPartition[Any, Any]:
        """Open a part, which waits until everything of an earlier process is settled."""
        name = f"publisher {for_part}"
        with self._health.opening(name):
            return _Writer(self._sink.build_part(step_id, for_part, resume_state), name, self._health)
