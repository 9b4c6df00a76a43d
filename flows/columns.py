"""Columns: a batch of candles as a struct of arrays, the unit of work inside the market stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Slots = NDArray[np.int32]
Bools = NDArray[np.bool_]
Flags = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Candles:
    """Closed candles of any number of symbols, in the order in which they came.

    All arrays have one length. Rows of one symbol have rising ``ts``; rows of different symbols may be mixed in any
    way. ``slot`` numbers the symbols of the shard from 0; ``slots`` is how many there are, so every state array needs
    that many rows. ``ts`` is the close time in epoch milliseconds UTC.

    >>> c = Candles.of([1.0, 2.0, 3.0])
    >>> len(c), c.slots, c.close.tolist()
    (3, 1, [1.0, 2.0, 3.0])
    """

    slot: Slots
    slots: int
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.ts)

    def __getitem__(self, rows: slice | Bools | Ints) -> Candles:
        """Some of the rows, as candles of the same shard."""
        return Candles(
            self.slot[rows],
            self.slots,
            self.ts[rows],
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
        )

    def frozen(self) -> Candles:
        """The same candles in arrays that cannot be written to: others look at them, too."""
        seen = self[:]
        for column in (seen.slot, seen.ts, seen.open, seen.high, seen.low, seen.close, seen.volume):
            column.flags.writeable = False
        return seen

    @classmethod
    def of(cls, close: list[float] | Floats, step_ms: int = 60_000) -> Candles:
        """Flat candles of one symbol from closes alone, ``step_ms`` apart: for examples and tests."""
        price = np.asarray(close, dtype=np.float64)
        count = len(price)
        ts = np.arange(1, count + 1, dtype=np.int64) * step_ms
        return cls(np.zeros(count, np.int32), 1, ts, price, price, price, price, np.ones(count))
