"""Relative strength index."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.ema import smooth
from flows.indicators.lengths import at_least
from flows.kernel import kernel
from flows.module import Module


@kernel
def _rsi(slot: Slots, x: Floats, length: int, last: Floats, moves: Floats, count: Ints, out: Floats) -> None:
    factor = 1.0 / length
    for i in range(len(x)):
        s, value = slot[i], x[i]
        out[i] = np.nan
        if np.isnan(value):
            continue
        change = value - last[s]
        last[s] = value
        if np.isnan(change):
            continue
        up = smooth(moves[s, 0], count[s], max(change, 0.0), length, factor)
        down = smooth(moves[s, 1], count[s], max(-change, 0.0), length, factor)
        moves[s, 0], moves[s, 1] = up, down
        if count[s] < length:
            count[s] += 1
        if count[s] == length:
            out[i] = 100.0 * up / (up + down) if up + down > 0.0 else 0.0


class RSI(Module):
    """``100 * up / (up + down)``: Wilder's averages (as in RMA) of the rises and of the falls from value to value.

    From J. Welles Wilder, New Concepts in Technical Trading Systems, 1978. NaN for the first ``length`` values. 0 while
    nothing has moved at all, as TA-Lib has it. A NaN in ``x`` gives NaN and is otherwise passed over. O(1) work and
    state.

    >>> RSI(2)(Candles.of([1.0, 3.0, 2.0, 2.0, 4.0])).round(6).tolist()
    [nan, nan, 66.666667, 66.666667, 90.909091]
    """

    def __init__(self, length: int = 14) -> None:
        at_least(2, length=length)
        self.length = length
        self.last = self.state(fill=np.nan)
        self.moves = self.state(2)
        self.count = self.state(dtype=np.int64)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The index, 0 to 100, at each row of ``candles``, of their close or of the column ``x``."""
        self.reserve(candles.slots)
        values = candles.close if x is None else x
        out = np.empty(len(values))
        _rsi(candles.slot, values, self.length, self.last, self.moves, self.count, out)
        return out

    @property
    def warmup(self) -> int:
        """``length``."""
        return self.length
