"""Higher timeframe: indicators over longer candles, inside a strategy on shorter ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.buckets import bucket, bucket_end
from flows.kernel import kernel
from flows.module import Module

# A column, or a tuple of columns such as Bands.
Output = TypeVar("Output", bound="Floats | tuple[Floats, ...]")


@kernel
def _close(
    slot: Slots,
    ts: Ints,
    rows: tuple[Floats, ...],
    length: int,
    boundary: int,
    end: Ints,
    bar: Floats,
    closed_by: Ints,
    closed_slot: Slots,
    closed_ts: Ints,
    closed: Floats,
) -> int:
    """Fold rows into higher candles; write those that close, in order, with the row that closed each. How many."""
    opened, high, low, close, volume = rows
    count = 0
    for i in range(len(ts)):
        s = slot[i]
        # At most twice a row: when a gap has swallowed the end of the last bucket, and this row ends its own one.
        for turn in range(2):
            if turn == 1:
                if end[s] == 0:
                    end[s] = bucket_end(ts[i], length, boundary)
                    bar[s, 0], bar[s, 1], bar[s, 2], bar[s, 4] = opened[i], high[i], low[i], 0.0
                bar[s, 1], bar[s, 2] = max(bar[s, 1], high[i]), min(bar[s, 2], low[i])
                bar[s, 3] = close[i]
                bar[s, 4] += volume[i]
            if end[s] != 0 and (ts[i] > end[s] if turn == 0 else ts[i] == end[s]):
                closed_by[count], closed_slot[count], closed_ts[count] = i, s, end[s]
                for k in range(5):
                    closed[k, count] = bar[s, k]
                count += 1
                end[s] = 0
    return count


@kernel
def _repeat(slot: Slots, closed_by: Ints, closed_slot: Slots, value: Floats, k: int, last: Floats, out: Floats) -> None:
    """Give each row the last value of its symbol, where ``value`` has one for each closed higher candle."""
    j = 0
    for i in range(len(slot)):
        while j < len(value) and closed_by[j] == i:
            last[closed_slot[j], k] = value[j]
            j += 1
        out[i] = last[slot[i], k]


class Higher(Module, Generic[Output]):
    """What ``inner`` says about closed candles of a longer timeframe, on every row of the shorter one.

    ``inner`` is an indicator, or any callable over :class:`~flows.columns.Candles` that returns a column (or a tuple of
    ``columns`` columns, such as Bollinger's three). It is called with the closed higher candles alone, each symbol's
    own; each row below gets the last value of its symbol (NaN before the first), as float64. State inside a callable is
    saved only if its module is also an attribute of the strategy.

    Higher candles lie in UTC-aligned buckets (weeks from Monday). A row's ``ts`` is its close, so the candle that ends
    at T is closed by the row with ``ts == T``; if that one is missing, by the first row after T. A bucket without any
    row has no candle, and one that the stream enters in the middle is made of the rows there are. O(1) work a row
    beside that of ``inner``; O(columns) state a symbol beside its.

    >>> from flows.indicators.sma import SMA
    >>> c = Candles.of([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> Higher("2m", SMA(1))(c).tolist()
    [nan, 2.0, 2.0, 4.0, 4.0]
    >>> Higher("2m", lambda higher: higher.high - higher.low)(c).tolist()
    [nan, 1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, timeframe: str, inner: Callable[[Candles], Output], columns: int = 1) -> None:
        self.timeframe = timeframe
        self.length, self.boundary = bucket(timeframe)
        self.inner = inner
        self.columns = columns
        self.end = self.state(dtype=np.int64)
        self.bar = self.state(5)
        self.last = self.state(columns, fill=np.nan)

    def __call__(self, candles: Candles) -> Output:
        """One column (or tuple of columns) as long as ``candles``."""
        self.reserve(candles.slots)
        closed_by, higher = self._closed(candles)
        found: Any = self.inner(higher)
        values: tuple[Floats, ...] = found if isinstance(found, tuple) else (found,)
        if len(values) != self.columns:
            raise ValueError(f"the inner of Higher gave {len(values)} columns: write Higher(…, columns={len(values)})")
        out = np.empty((len(values), len(candles)))
        for k, value in enumerate(values):
            column = np.ascontiguousarray(value, dtype=np.float64)
            _repeat(candles.slot, closed_by, higher.slot, column, k, self.last, out[k])
        if not isinstance(found, tuple):
            return cast(Output, out[0])
        return cast(Output, type(found)(*out) if hasattr(found, "_fields") else tuple(out))

    def _closed(self, candles: Candles) -> tuple[Ints, Candles]:
        """The higher candles that these rows close, and the row that closes each."""
        room = 2 * len(candles)
        by, slot, ts = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room, np.int64)
        columns = np.empty((5, room))
        rows = (candles.open, candles.high, candles.low, candles.close, candles.volume)
        time = (self.length, self.boundary, self.end, self.bar)
        count = _close(candles.slot, candles.ts, rows, *time, by, slot, ts, columns)
        return by[:count], Candles(slot[:count], candles.slots, ts[:count], *columns[:, :count])

    @property
    def warmup(self) -> int:
        """That of ``inner`` counted in rows, which is the least: it is in higher candles, and each takes some rows."""
        return self.inner.warmup if isinstance(self.inner, Module) else 0
