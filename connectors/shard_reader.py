"""A replay of files, shard by shard and batch by batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

Read = TypeVar("Read")


class ShardReader(StatefulSourcePartition[tuple[str, Any], int]):
    """Hands over the rows of one shard. State: the next row. The last batch is final, also when it is empty."""

    def __init__(
        self,
        shard: str,
        count: int,
        row: int,
        batch_rows: int,
        on_rows: Callable[[str, int], None],
        on_durable: Callable[[str, int], None],
    ) -> None:
        self.shard, self.count, self.row, self.batch_rows = shard, count, row, batch_rows
        self._on_rows, self._on_durable = on_rows, on_durable
        self._snapped: int | None = None
        on_rows(shard, self.told(min(row, count)))

    @abstractmethod
    def batch(self, rows: slice, final: bool) -> Any:
        """Some of the rows."""

    def told(self, row: int) -> int:
        """How many rows of those before one count as progress: all, unless some were made up here."""
        return row

    def next_batch(self) -> list[tuple[str, Any]]:
        """The next rows. Raises StopIteration behind the final batch."""
        if self._snapped is not None:
            # Bytewax starts an epoch only when the one before it is durable everywhere: so the last snapshot is.
            self._on_durable(self.shard, self.told(min(self._snapped, self.count)))
            self._snapped = None
        if self.row > self.count:
            raise StopIteration
        start, end = self.row, min(self.row + self.batch_rows, self.count)
        final = end == self.count
        self.row = self.count + 1 if final else end
        self._on_rows(self.shard, self.told(end))
        return [(self.shard, self.batch(slice(start, end), final))]

    def snapshot(self) -> int:
        """The next row to read; one past the end (plus one) when the final batch has been handed over."""
        self._snapped = self.row
        return self.row


class ShardSource(FixedPartitionedSource[tuple[str, Any], int], Generic[Read]):
    """One partition for each shard. ``load`` reads the files of a shard; called in the process that reads it."""

    def __init__(
        self,
        shards: Sequence[str],
        load: Callable[[str], Sequence[Read]],
        batch_rows: int,
        on_rows: Callable[[str, int], None],
        on_durable: Callable[[str, int], None],
    ) -> None:
        self.shards, self.load, self.batch_rows = list(shards), load, batch_rows
        self.on_rows, self.on_durable = on_rows, on_durable

    def list_parts(self) -> list[str]:
        """All shards: every process can read every file."""
        return self.shards
