"""Steps whose calls are watched.

Polls of a source are progress, what waits for the broker is known to wait, and what is raised is told where it is
raised: of a cluster's process Bytewax would only say that a thread is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from flows.marks import Mark
from sinks.vitals.health import Health


class Watch:
    """Who is told. ``failed`` gets what a step raised, and may end the process; otherwise it goes on its way."""

    def __init__(self, health: Health, failed: Callable[[Exception], None]) -> None:
        self.health, self._failed = health, failed

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Watch a block."""
        try:
            yield
        except StopIteration:  # the end of a source
            raise
        except Exception as error:
            self._failed(error)
            raise

    @contextmanager
    def opening(self, what: str) -> Iterator[None]:
        """Watch a block that opens a source or publisher."""
        with self(), self.health.opening(what):
            yield

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Watch a block that waits for the broker."""
        with self(), self.health.waiting(what):
            yield


class _Reader(StatefulSourcePartition[Any, Any]):
    def __init__(self, part: StatefulSourcePartition[Any, Any], watch: Watch) -> None:
        self._part, self._watch = part, watch

    def next_batch(self) -> Any:
        self._watch.health.beat()
        with self._watch():
            return self._part.next_batch()

    def next_awake(self) -> datetime | None:
        return self._part.next_awake()

    def snapshot(self) -> Any:
        return self._part.snapshot()

    def close(self) -> None:
        self._part.close()


class WatchedSource(FixedPartitionedSource[Any, Any]):
    """The same source; each poll is a beat."""

    def __init__(self, source: FixedPartitionedSource[Any, Any], watch: Watch) -> None:
        self._source, self._watch = source, watch

    def list_parts(self) -> list[str]:
        """As the source says."""
        return self._source.list_parts()

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> StatefulSourcePartition[Any, Any]:
        """Open a part, which may wait for the broker."""
        with self._watch.opening(f"source {for_part}"):
            return _Reader(self._source.build_part(step_id, for_part, resume_state), self._watch)


class _Writer(StatefulSinkPartition[Any, Any]):
    def __init__(self, part: StatefulSinkPartition[Any, Any], name: str, watch: Watch) -> None:
        self._part, self._name, self._watch = part, name, watch

    def write_batch(self, items: list[Any]) -> None:
        with self._watch.waiting(self._name):
            self._part.write_batch(items)

    def snapshot(self) -> Any:
        with self._watch.waiting(self._name):
            return self._part.snapshot()

    def close(self) -> None:
        self._part.close()


class WatchedSink(FixedPartitionedSink[Any, Any]):
    """The same sink; its calls may wait for the broker."""

    def __init__(self, sink: FixedPartitionedSink[Any, Any], watch: Watch) -> None:
        self._sink, self._watch = sink, watch

    def list_parts(self) -> list[str]:
        """As the sink says."""
        return self._sink.list_parts()

    def part_fn(self, item_key: str) -> int:
        """As the sink says."""
        return self._sink.part_fn(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> StatefulSinkPartition[Any, Any]:
        """Open a part, which waits until everything of an earlier process is settled."""
        name = f"publisher {for_part}"
        with self._watch.opening(name):
            return _Writer(self._sink.build_part(step_id, for_part, resume_state), name, self._watch)


class WatchedLogic(StatefulBatchLogic[Any, Any, Any]):
    """The same state machine. ``build`` makes it from its state."""

    def __init__(
        self, build: Callable[[Any], StatefulBatchLogic[Any, Any, Any]], watch: Watch, state: Any | None
    ) -> None:
        self._watch = watch
        with watch():
            self._logic = build(state)

    def on_batch(self, values: list[Any]) -> tuple[Any, bool]:
        """As the logic does. Marks have done what they are for when they come here."""
        values = [value for value in values if not isinstance(value, Mark)]
        if not values:
            return [], self.RETAIN
        with self._watch():
            return self._logic.on_batch(values)

    def snapshot(self) -> Any:
        """As the logic does."""
        with self._watch():
            return self._logic.snapshot()
