"""Supertrend."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flows.columns import Candles, Floats, Slots
from flows.indicators.atr import ATR
from flows.kernel import kernel
from flows.module import Module


@kernel
def _supertrend(
    slot: Slots, high: Floats, low: Floats, close: Floats, reach: Floats, band: Floats, line: Floats, side: Floats
) -> None:
    for i in range(len(close)):
        s = slot[i]
        line[i] = side[i] = np.nan
        if np.isnan(reach[i]):
            continue
        middle = (high[i] + low[i]) / 2.0
        upper, lower = middle + reach[i], middle - reach[i]
        if band[s, 2] == 0.0:
            now = 1.0 if close[i] >= middle else -1.0
        else:
            # A band only moves towards the price, until a close has gone through it. band[s, 3] is the last close.
            if band[s, 3] <= band[s, 0]:
                upper = min(upper, band[s, 0])
            if band[s, 3] >= band[s, 1]:
                lower = max(lower, band[s, 1])
            now = band[s, 2]
            if now < 0.0 and close[i] > upper:
                now = 1.0
            elif now > 0.0 and close[i] < lower:
                now = -1.0
        band[s, 0], band[s, 1], band[s, 2], band[s, 3] = upper, lower, now, close[i]
        line[i], side[i] = lower if now > 0.0 else upper, now


class Trend(NamedTuple):
    """Two columns: the line, and 1.0 where the trend is up (line below the price), -1.0 where it is down."""

    line: Floats
    side: Floats


class Supertrend(Module):
    """A trailing line ``width`` average true ranges off the middle of the candles, on the side of the trend.

    Olivier Seban's indicator: bands ``(high + low) / 2 ± width * ATR(length)``, each of which only tightens until the
    previous close lay beyond it; the trend turns up when the close is above the upper band, and down when it is below
    the lower one, and the line is the band behind the price. The first trend is up when that close is at or above the
    middle of its candle. NaN for the first ``length`` candles. O(1) work and state.

    >>> line, side = Supertrend(1, 1.0)(Candles.of([1.0, 3.0, 4.0, 1.0]))
    >>> line.tolist(), side.tolist()
    ([nan, 1.0, 3.0, 4.0], [nan, 1.0, 1.0, -1.0])
    """

    def __init__(self, length: int = 10, width: float = 3.0) -> None:
        self.width = width
        self.range = ATR(length)
        self.band = self.state(4)

    def __call__(self, candles: Candles) -> Trend:
        """Both columns at each row of ``candles``."""
        self.reserve(candles.slots)
        reach = self.width * self.range(candles)
        out = Trend(np.empty(len(candles)), np.empty(len(candles)))
        _supertrend(candles.slot, candles.high, candles.low, candles.close, reach, self.band, *out)
        return out

    @property
    def warmup(self) -> int:
        """``length``."""
        return self.range.warmup
