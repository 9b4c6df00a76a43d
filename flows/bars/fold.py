"""From trades in order to candles, as compiled loops: by time on a fine grid, or by how much was traded.

The figures of a candle are open, high, low, close, volume, quote volume and taker-buy volume, and what the last three
have lost to rounding. Rounded to the fifteen digits that a float keeps of any decimal, a
volume is the very number that the exchange publishes, and it is the same whether seconds or minutes were added up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.columns import Bools, Floats, Ints, Slots
from flows.kernel import kernel

WIDTH = 10


@kernel
def add(figures: Floats, row: int, at: int, value: float) -> None:
    """Add to a sum, and to what it has lost: the exact error of the addition (Knuth's two-sum)."""
    before = figures[row, at]
    total = before + value
    part = total - before
    figures[row, at + 3] += (before - (total - part)) + (value - part)
    figures[row, at] = total


@kernel
def take(figures: Floats, row: int, first: bool, price: float, amount: float, buy: bool) -> None:
    """Put a trade into the candle of a row."""
    if first:
        figures[row, 0] = figures[row, 1] = figures[row, 2] = price
        for at in range(4, 10):
            figures[row, at] = 0.0
    else:
        figures[row, 1] = max(figures[row, 1], price)
        figures[row, 2] = min(figures[row, 2], price)
    figures[row, 3] = price
    add(figures, row, 4, amount)
    add(figures, row, 5, price * amount)
    add(figures, row, 6, amount if buy else 0.0)


@dataclass(frozen=True, slots=True)
class Trades:
    """Columns of trades of one length."""

    slot: Slots
    ts: Ints
    price: Floats
    amount: Floats
    buy: Bools
    id: Ints

    def __len__(self) -> int:
        return len(self.ts)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Trades:
        return Trades(
            self.slot[rows], self.ts[rows], self.price[rows], self.amount[rows], self.buy[rows], self.id[rows]
        )

    def columns(self) -> tuple[Slots, Ints, Floats, Floats, Bools, Ints]:
        """All columns."""
        return self.slot, self.ts, self.price, self.amount, self.buy, self.id

    @classmethod
    def joined(cls, parts: Sequence[Trades]) -> Trades:
        """Some trades, and others behind them."""
        some = [part for part in parts if len(part)] or parts[:1]
        if len(some) == 1:
            return some[0]
        columns: Iterator[tuple[Any, ...]] = zip(*(part.columns() for part in some), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def cut(self, ts: int) -> tuple[Trades, Trades]:
        """Those before an instant, and the others."""
        if (self.ts[1:] >= self.ts[:-1]).all():
            at = int(np.searchsorted(self.ts, ts))
            return self[:at], self[at:]
        before = self.ts < ts
        return self[before], self[~before]

    def in_order(self) -> Trades:
        """By time and then by id; what has no number in its id stays as it came."""
        return self[np.lexsort((np.maximum(self.id, -1), self.ts))]

    @classmethod
    def none(cls) -> Trades:
        """No trades."""
        empty = np.empty(0)
        ints = np.empty(0, np.int64)
        return cls(np.empty(0, np.int32), ints, empty, empty, np.empty(0, np.bool_), ints)


@dataclass(frozen=True, slots=True)
class Folded:
    """Candles: the slot, the kind (which of the timeframes), the close in epoch ms, the trades in it, its figures."""

    slot: Slots
    kind: Ints
    ts: Ints
    count: Ints
    figures: Floats

    def __len__(self) -> int:
        return len(self.ts)

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Folded:
        return Folded(self.slot[rows], self.kind[rows], self.ts[rows], self.count[rows], self.figures[rows])

    def total(self, figure: int) -> Floats:
        """A sum: 4 the volume, 5 the quote volume, 6 what takers bought of the volume."""
        exact = (self.figures[:, figure] + self.figures[:, figure + 3]).tolist()
        return np.array([float(f"{value:.15g}") for value in exact], np.float64)

    def in_order(self) -> Folded:
        """By close, then in the order of the timeframes, then of the symbols."""
        return self[np.lexsort((self.slot, self.kind, self.ts))]

    @classmethod
    def room(cls, rows: int) -> Folded:
        """Room for as many candles."""
        return cls(
            np.empty(rows, np.int32),
            np.zeros(rows, np.int64),
            np.empty(rows, np.int64),
            np.empty(rows, np.int64),
            np.empty((rows, WIDTH)),
        )


@kernel
def _by_time(
    slot: Slots,
    ts: Ints,
    price: Floats,
    amount: Floats,
    buy: Bools,
    grain: int,
    at: Ints,
    out_slot: Slots,
    out_ts: Ints,
    out_count: Ints,
    figures: Floats,
    count: int,
) -> int:
    for i in range(len(ts)):
        s, t = slot[i], ts[i]
        bar = at[s]
        first = bar < 0 or t >= out_ts[bar]
        if first:
            bar = at[s] = count
            count += 1
            out_slot[bar], out_ts[bar], out_count[bar] = s, (t // grain + 1) * grain, 0
        out_count[bar] += 1
        take(figures, bar, first, price[i], amount[i], buy[i])
    return count


def by_time(parts: Sequence[Trades], grain_ms: int, slots: int) -> Folded:
    """The candles of whole grains, each symbol's in order. ``parts`` hold all of their trades, each symbol's in order:
    none of them is copied just to have them in one piece.
    """
    out = Folded.room(sum(map(len, parts)))
    at = np.full(slots, -1, np.int64)
    count = 0
    for slot, ts, price, amount, buy, _ in (part.columns() for part in parts):
        count = _by_time(slot, ts, price, amount, buy, grain_ms, at, out.slot, out.ts, out.count, out.figures, count)
    return out[:count]


@kernel
def _by_measure(
    slot: Slots,
    ts: Ints,
    price: Floats,
    amount: Floats,
    buy: Bools,
    measure: int,
    limit: float,
    held: Ints,
    kept: Floats,
    out_slot: Slots,
    out_ts: Ints,
    out_count: Ints,
    figures: Floats,
) -> int:
    count = 0
    for i in range(len(ts)):
        s = slot[i]
        first = held[s, 0] == 0
        take(kept, s, first, price[i], amount[i], buy[i])
        held[s, 0] += 1
        reached = float(held[s, 0]) if measure < 0 else kept[s, measure] + kept[s, measure + 3]
        if reached >= limit:
            # It closes just behind its last trade; two of a symbol never close at the same instant.
            close = max(ts[i], held[s, 1]) + 1
            out_slot[count], out_ts[count], out_count[count] = s, close, held[s, 0]
            for at in range(WIDTH):
                figures[count, at] = kept[s, at]
            count += 1
            held[s, 0], held[s, 1] = 0, close
    return count


def by_measure(trades: Trades, measure: int, limit: float, held: Ints, kept: Floats) -> Folded:
    """The candles that are full, a candle with the trade that fills it; what is not full stays in ``held``, ``kept``.

    ``measure`` is the figure that is to reach ``limit``: 4 the volume, 5 the quote volume, -1 the number of trades.
    By slot, ``held`` has the trades so far, and the close of the candle before.
    """
    out = Folded.room(len(trades))
    slot, ts, price, amount, buy, _ = trades.columns()
    count = _by_measure(
        slot, ts, price, amount, buy, measure, limit, held, kept, out.slot, out.ts, out.count, out.figures
    )
    return out[:count].in_order()
