"""The source of a replay of trades: the tapes of each shard, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from connectors.shard_reader import ShardReader, ShardSource
from connectors.tape import Tape, merge
from schemas.batch import TradeBatch

Item = tuple[str, TradeBatch]


@dataclass(frozen=True, slots=True)
class Texts(Mapping[int, str]):
    """The rows of a batch as they came; read again only when one is asked for."""

    tape: Tape
    first: int
    count: int

    def __getitem__(self, row: int) -> str:
        if not 0 <= row < self.count:
            raise KeyError(row)
        at, tape = self.first + row, self.tape
        text = tape.raws[int(tape.source[at])]
        return text(int(tape.position[at]))

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.count))

    def __len__(self) -> int:
        return self.count

    def __reduce__(self) -> tuple[object, ...]:
        # To another process go the texts themselves: it may not have the files.
        return dict, ({row: self[row] for row in self},)


class TradeReader(ShardReader):
    """Hands over the trades of one shard, and the clocks and quotes between them."""

    def __init__(
        self,
        shard: str,
        tape: Tape,
        row: int,
        batch_rows: int,
        on_rows: Callable[[str, int], None],
        on_durable: Callable[[str, int], None],
    ) -> None:
        self.tape = tape
        self.sources = _sources(tape)
        self._told = np.concatenate(([0], np.cumsum(tape.slot >= 0)))
        super().__init__(shard, len(tape), row, batch_rows, on_rows, on_durable)

    def told(self, row: int) -> int:
        """Trades only: clocks and quotes are no rows of a file."""
        return int(self._told[row])

    def batch(self, rows: slice, final: bool) -> TradeBatch:
        """Some of the rows."""
        t = self.tape
        return TradeBatch(
            shard=self.shard,
            symbols=t.symbols,
            sources=self.sources,
            slot=t.slot[rows],
            ts=t.ts[rows],
            price=t.price[rows],
            amount=t.amount[rows],
            buy=t.buy[rows],
            id=t.id[rows],
            position=t.position[rows],
            raw=Texts(t, rows.start, rows.stop - rows.start),
            final=final,
        )


def _sources(tape: Tape) -> tuple[str, ...]:
    """By slot the file that its trades are of."""
    named = np.zeros(len(tape.symbols), np.int64)
    trades = tape.slot >= 0
    named[tape.slot[trades]] = tape.source[trades]
    return tuple(Path(tape.paths[source]).name for source in named.tolist())


class TradeSource(ShardSource[Tape]):
    """The trades of each shard, in the order of their tapes."""

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> TradeReader:  # noqa: ARG002
        """Read the shard's tapes, and go on where the snapshot was taken."""
        tape = merge(self.load(for_part))
        return TradeReader(for_part, tape, resume_state or 0, self.batch_rows, self.on_rows, self.on_durable)
