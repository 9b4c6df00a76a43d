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
    that many rows. ``ts`` is the close time in epoch milliseconds UTC. ``quote`` has two columns, the best bid and
    offer as known at the close, NaN where they are not; it is None when no row has any.

    >>> c = Candles.of([1.0, 2.0, 3.0])
    >>> len(c), c.slots, c.close.tolist()
    (3, 1, [1.0, 2.0, 3.0])
    >>> c.spread.tolist()
    [nan, nan, nan]
    """

    slot: Slots
    slots: int
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quote: Floats | None = None

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
            None if self.quote is None else self.quote[rows],
        )

    @property
    def bid(self) -> Floats:
        """Best bid as known at the close, NaN where it is not."""
        return self._quoted(0)

    @property
    def ask(self) -> Floats:
        """Best offer as known at the close, NaN where it is not."""
        return self._quoted(1)

    @property
    def spread(self) -> Floats:
        """``ask - bid``, quote currency."""
        return self.ask - self.bid

    @property
    def mid(self) -> Floats:
        """The middle between bid and ask."""
        return (self.bid + self.ask) / 2

    def _quoted(self, column: int) -> Floats:
        return np.full(len(self), np.nan) if self.quote is None else np.ascontiguousarray(self.quote[:, column])

    def frozen(self) -> Candles:
        """The same candles in arrays that cannot be written to: others look at them, too."""
        seen = self[:]
        for column in (seen.slot, seen.ts, seen.open, seen.high, seen.low, seen.close, seen.volume, seen.quote):
            if column is not None:
                column.flags.writeable = False
        return seen

    @classmethod
    def of(cls, close: list[float] | Floats, step_ms: int = 60_000) -> Candles:
        """Flat candles of one symbol from closes alone, ``step_ms`` apart: for examples and tests."""
        price = np.asarray(close, dtype=np.float64)
        count = len(price)
        ts = np.arange(1, count + 1, dtype=np.int64) * step_ms
        return cls(np.zeros(count, np.int32), 1, ts, price, price, price, price, np.ones(count))
