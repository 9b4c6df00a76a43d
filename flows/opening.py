"""The first item of each part of the sink, so that its publisher opens before anything is decided."""

from __future__ import annotations

from collections.abc import Sequence

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from flows.outbox import Outbox

Item = tuple[str, Outbox]


class _Once(StatefulSourcePartition[Item, None]):
    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = list(parts)

    def next_batch(self) -> list[Item]:
        if not self._parts:
            raise StopIteration
        items: list[Item] = [(part, {}) for part in self._parts]
        self._parts = []
        return items

    def snapshot(self) -> None:
        return None


class Opening(FixedPartitionedSource[Item, None]):
    """An empty outbox for each part, at every start.

    Bytewax opens a part of a sink that has no snapshot at its first item. Should this process have died in its very
    first epoch, inside a transaction, the other parts would wait until the brokers give that transaction up.
    """

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts

    def list_parts(self) -> list[str]:
        """One is enough."""
        return ["opening"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Once:  # noqa: ARG002
        """Begin again, whatever was done before."""
        return _Once(self._parts)
