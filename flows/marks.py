"""Marks: one for each key in each epoch, so that the state of every key is kept in every epoch.

Bytewax keeps the state of those keys only that got something in an epoch. After a kill it counts again from the epoch
that was not finished, and what the dead run had kept under that number stays, unless it is replaced: for a key that
gets nothing this time it would later pass for the newest state. See :mod:`sinks.recovery`, which removes it where all
files are in one folder; marks make it safe where those of a cluster are spread over several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition


@dataclass(frozen=True, slots=True)
class Mark:
    """An epoch has begun."""


class _Reader(StatefulSourcePartition[Any, Any]):
    def __init__(self, part: StatefulSourcePartition[Any, Any], key: str) -> None:
        self._part, self._key, self._due = part, key, True

    def next_batch(self) -> list[Any]:
        found = list(self._part.next_batch())
        if not self._due:
            return found
        self._due = False
        return [(self._key, Mark()), *found]

    def next_awake(self) -> datetime | None:
        return self._part.next_awake()

    def snapshot(self) -> Any:
        self._due = True
        return self._part.snapshot()

    def close(self) -> None:
        self._part.close()


class MarkedSource(FixedPartitionedSource[Any, Any]):
    """The same source; the first thing that a part hands over in an epoch is a mark with the key of the part."""

    def __init__(self, source: FixedPartitionedSource[Any, Any], key: Callable[[str], str]) -> None:
        self._source, self._of = source, key

    def list_parts(self) -> list[str]:
        """As the source says."""
        return self._source.list_parts()

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> StatefulSourcePartition[Any, Any]:
        """Open a part."""
        return _Reader(self._source.build_part(step_id, for_part, resume_state), self._of(for_part))
