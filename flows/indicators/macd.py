"""Moving average convergence/divergence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.ema import EMA
from flows.indicators.lengths import at_least, fast_below_slow
from flows.kernel import kernel
from flows.module import Module


@kernel
def _after(slot: Slots, x: Floats, skip: int, count: Ints, out: Floats) -> None:
    for i in range(len(x)):
        s = slot[i]
        out[i] = x[i] if count[s] >= skip else np.nan
        if count[s] < skip and not np.isnan(x[i]):
            count[s] += 1


class Lines(NamedTuple):
    """Three columns, each NaN during the warm-up."""

    macd: Floats
    signal: Floats
    histogram: Floats


class MACD(Module):
    """``macd = EMA(fast) - EMA(slow)``, ``signal = EMA(signal)`` of that line, ``histogram = macd - signal``.

    From Gerald Appel, Technical Analysis: Power Tools for Active Investors, 2005. As in TA-Lib, both averages give
    their first value on the same row, so the fast one begins ``slow - fast`` values late, and all three lines start
    with the first signal. O(1) work and state.

    >>> lines = MACD(2, 3, 2)(Candles.of([1.0, 2.0, 3.0, 4.0, 8.0]))
    >>> lines.macd.tolist(), lines.histogram.round(4).tolist()
    ([nan, nan, nan, 0.5, 1.0], [nan, nan, nan, 0.0, 0.1667])
    """

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        at_least(1, fast=fast, slow=slow, signal=signal)
        fast_below_slow(fast, slow)
        self.skip = slow - fast
        self.skipped = self.state(dtype=np.int64)
        self.fast, self.slow, self.signal = EMA(fast), EMA(slow), EMA(signal)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Lines:
        """The lines at each row of ``candles``, of their close or of the column ``x``."""
        self.reserve(candles.slots)
        values = candles.close if x is None else x
        late = np.empty(len(values))
        _after(candles.slot, values, self.skip, self.skipped, late)
        macd = self.fast(candles, late) - self.slow(candles, values)
        signal = self.signal(candles, macd)
        return Lines(np.where(np.isnan(signal), np.nan, macd), signal, macd - signal)

    @property
    def warmup(self) -> int:
        """``slow + signal - 2``."""
        return self.slow.warmup + self.signal.warmup
