"""Commodity channel index."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.lengths import at_least
from flows.indicators.window import cell
from flows.kernel import kernel
from flows.module import Module


@kernel
def _cci(slot: Slots, high: Floats, low: Floats, close: Floats, ring: Floats, count: Ints, out: Floats) -> None:
    length = ring.shape[1]
    for i in range(len(close)):
        s = slot[i]
        typical = (high[i] + low[i] + close[i]) / 3.0
        at = cell(count[s], length)
        ring[s, at] = typical
        count[s] = count[s] + 1 if at < length - 1 else length
        out[i] = np.nan
        if count[s] < length:
            continue
        lead = 0.0  # of the typical price over the mean, times length: summed as differences, it costs no digits
        for j in range(length):
            lead += typical - ring[s, j]
        lead /= length
        spread = 0.0
        for j in range(length):
            spread += abs(typical - ring[s, j] - lead)
        out[i] = lead / (0.015 * (spread / length)) if spread > 0.0 else 0.0


class CCI(Module):
    """``(p - mean(p)) / (0.015 * mean(|p - mean(p)|))`` over ``length`` candles, ``p = (high + low + close) / 3``.

    From Donald R. Lambert, Commodity Channel Index, Commodities magazine, 1980. 0 where the window is flat, as TA-Lib
    has it. NaN for the first ``length - 1`` candles. The mean deviation changes in every term when the mean moves, so
    the work is O(length) a row; O(length) state a symbol.

    >>> CCI(2)(Candles.of([1.0, 3.0, 2.0])).round(4).tolist()
    [nan, 66.6667, -66.6667]
    """

    def __init__(self, length: int = 20) -> None:
        at_least(2, length=length)
        self.length = length
        self.ring = self.state(length)
        self.count = self.state(dtype=np.int64)

    def __call__(self, candles: Candles) -> Floats:
        """The index at each row of ``candles``."""
        self.reserve(candles.slots)
        out = np.empty(len(candles))
        _cci(candles.slot, candles.high, candles.low, candles.close, self.ring, self.count, out)
        return out

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.length - 1
