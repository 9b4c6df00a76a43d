"""Stochastic oscillator."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flows.columns import Candles, Floats
from flows.indicators.extremes import Highest, Lowest
from flows.indicators.sma import SMA
from flows.module import Module


class KD(NamedTuple):
    """Two columns, 0 to 100."""

    k: Floats
    d: Floats


class Stochastic(Module):
    """Where the close lies between the lowest low and the highest high of ``length`` candles, in percent, smoothed.

    ``k`` is the mean of the last ``smooth`` of ``100 * (close - low) / (high - low)`` (0 where the range is empty, as
    TA-Lib has it), ``d`` the mean of the last ``signal`` of ``k``; both start with the first ``d``. After George C.
    Lane, Lane's Stochastics, Technical Analysis of Stocks & Commodities, 1984. ``smooth=1`` is the fast stochastic.
    O(1) work a row (amortised), O(2 * length + smooth + signal) state a symbol.

    >>> k, d = Stochastic(2, 1, 2)(Candles.of([1.0, 3.0, 2.0, 4.0]))
    >>> k.tolist(), d.tolist()
    ([nan, nan, 0.0, 100.0], [nan, nan, 50.0, 50.0])
    """

    def __init__(self, length: int = 14, smooth: int = 3, signal: int = 3) -> None:
        self.highest, self.lowest = Highest(length), Lowest(length)
        self.slow, self.signal = SMA(smooth), SMA(signal)

    def __call__(self, candles: Candles) -> KD:
        """Both lines at each row of ``candles``."""
        high, low = self.highest(candles), self.lowest(candles)
        span = high - low
        empty = span == 0.0
        place = np.where(empty, 0.0, (candles.close - low) / np.where(empty, 1.0, span) * 100.0)
        k = self.slow(candles, place)
        d = self.signal(candles, k)
        return KD(np.where(np.isnan(d), np.nan, k), d)

    @property
    def warmup(self) -> int:
        """``length + smooth + signal - 3``."""
        return self.highest.warmup + self.slow.warmup + self.signal.warmup
