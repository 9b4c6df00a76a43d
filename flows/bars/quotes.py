"""What is known of bid and ask at the close of a candle that is made of trades."""

from __future__ import annotations

from typing import Any

import numpy as np

from flows.bars.fold import Folded
from flows.columns import Floats, Ints, Slots
from flows.kernel import kernel


@kernel
def _known(
    slot: Slots, ts: Ints, row: Ints, quote: Floats, of: Slots, close: Ints, by: Ints, age: int, out: Floats
) -> None:  # fmt: skip
    """For each candle, the newest quote of its symbol by its close, of those that came before the row that closed it.

    Quotes are in the order of symbol, time and arrival.
    """
    for i in range(len(of)):
        low, high = 0, len(slot)
        while low < high:  # the first one behind it
            middle = (low + high) // 2
            if slot[middle] < of[i] or (slot[middle] == of[i] and ts[middle] <= close[i]):
                low = middle + 1
            else:
                high = middle
        at = low - 1
        while at >= 0 and slot[at] == of[i] and row[at] > by[i]:
            at -= 1
        out[i, 0] = out[i, 1] = np.nan
        if at >= 0 and slot[at] == of[i] and close[i] - ts[at] <= age and quote[at, 0] <= quote[at, 1]:
            out[i, 0], out[i, 1] = quote[at, 0], quote[at, 1]


class Quotes:
    """The quotes that a candle to come may ask for: of each symbol the newest one, and those behind what is closed.

    They go by the exchange's time: one that comes late does not take the place of a newer one, and a candle does not
    know of one behind its close, although it is closed later. Nor of one that comes when it has been closed. A quote
    older than ``age_ms`` at the close is not known any more, and one with its ask below its bid says nothing.
    """

    def __init__(self, age_ms: int) -> None:
        self.age = age_ms
        self._slot, self._ts = np.empty(0, np.int32), np.empty(0, np.int64)
        self._row, self._quote = np.empty(0, np.int64), np.empty((0, 2))

    def take(self, slot: Slots, ts: Ints, row: Ints, bid: Floats, ask: Floats) -> None:
        """The quotes of a batch, in their order, if any; ``row`` is where each stands in the batch."""
        if not len(row):
            self._row[:] = -1
            return
        self._row = np.concatenate((np.full(len(self._ts), -1), row))
        self._slot, self._ts = np.concatenate((self._slot, slot)), np.concatenate((self._ts, ts))
        self._quote = np.concatenate((self._quote, np.column_stack((bid, ask))))
        self._keep(np.lexsort((self._ts, self._slot)))

    def known(self, candles: Folded, by: Ints) -> Floats | None:
        """Bid and ask of some candles, which the rows ``by`` of the batch have closed; None when nobody quotes."""
        if not len(self._ts):
            return None
        out = np.empty((len(candles), 2))
        held = (self._slot, self._ts, self._row, self._quote)
        _known(*held, candles.slot, candles.ts, by, self.age, out)
        return out

    def forget(self, closed: int) -> None:
        """No candle that closes up to an instant will follow."""
        if not len(self._ts):
            return
        later = self._ts > closed
        last = np.append((self._slot[1:] != self._slot[:-1]) | later[1:], True)
        self._keep(np.flatnonzero(later | (last & (self._ts >= closed - self.age))))

    def _keep(self, rows: Ints) -> None:
        self._slot, self._ts = self._slot[rows], self._ts[rows]
        self._row, self._quote = self._row[rows], self._quote[rows]

    def snapshot(self) -> Any:
        """All state, as a copy."""
        return self._slot.copy(), self._ts.copy(), self._quote.copy()

    def restore(self, state: Any) -> None:
        """Put it back."""
        self._slot, self._ts, self._quote = (column.copy() for column in state)
        self._row = np.full(len(self._ts), -1)
