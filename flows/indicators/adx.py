"""Directional movement: ADX, +DI and -DI."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.atr import true_range
from flows.indicators.ema import smooth
from flows.indicators.lengths import at_least
from flows.kernel import kernel
from flows.module import Module


@kernel
def _adx(
    slot: Slots,
    high: Floats,
    low: Floats,
    close: Floats,
    length: int,
    last: Floats,
    average: Floats,
    count: Ints,
    adx: Floats,
    plus: Floats,
    minus: Floats,
) -> None:
    factor = 1.0 / length
    for i in range(len(close)):
        s = slot[i]
        adx[i] = plus[i] = minus[i] = np.nan
        rise, fall, span = high[i] - last[s, 0], last[s, 1] - low[i], true_range(high[i], low[i], last[s, 2])
        last[s, 0], last[s, 1], last[s, 2] = high[i], low[i], close[i]
        seen = count[s]
        if seen < 2 * length:
            count[s] += 1
        if seen == 0:
            continue  # no candle to compare with: counts as one without movement, which is how TA-Lib seeds the sums
        up = smooth(average[s, 0], seen, rise if rise > fall and rise > 0.0 else 0.0, length, factor)
        down = smooth(average[s, 1], seen, fall if fall > rise and fall > 0.0 else 0.0, length, factor)
        moved = smooth(average[s, 2], seen, span, length, factor)
        average[s, 0], average[s, 1], average[s, 2] = up, down, moved
        if seen < length:
            continue
        plus[i] = 100.0 * (up / moved) if moved > 0.0 else 0.0
        minus[i] = 100.0 * (down / moved) if moved > 0.0 else 0.0
        both = plus[i] + minus[i]
        index = 100.0 * (abs(plus[i] - minus[i]) / both) if both > 0.0 else 0.0
        average[s, 3] = smooth(average[s, 3], seen - length, index, length, factor)
        if seen >= 2 * length - 1:
            adx[i] = average[s, 3]


class Directional(NamedTuple):
    """Three columns, 0 to 100."""

    adx: Floats
    plus: Floats
    minus: Floats


class ADX(Module):
    """Average directional index, with the two directional indicators it is made of.

    ``+DM`` is the rise of the high where it is positive and exceeds the fall of the low, ``-DM`` the other way round;
    ``+DI`` and ``-DI`` are 100 times their Wilder averages over that of the true range; ADX is the Wilder average of
    ``100 * |+DI - -DI| / (+DI + -DI)``. From J. Welles Wilder, New Concepts in Technical Trading Systems, 1978; seeds
    as in TA-Lib. ``plus`` and ``minus`` are NaN for the first ``length`` candles, ``adx`` for the first
    ``2 * length - 1``. O(1) work and state.

    >>> lines = ADX(2)(Candles.of([1.0, 2.0, 4.0, 3.0, 4.0]))
    >>> lines.adx.round(4).tolist(), lines.plus.round(4).tolist()
    ([nan, nan, nan, 55.5556, 54.2484], [nan, nan, 100.0, 55.5556, 76.4706])
    """

    def __init__(self, length: int = 14) -> None:
        at_least(2, length=length)
        self.length = length
        self.last = self.state(3)
        self.average = self.state(4)
        self.count = self.state(dtype=np.int64)

    def __call__(self, candles: Candles) -> Directional:
        """The three lines at each row of ``candles``."""
        self.reserve(candles.slots)
        out = Directional(np.empty(len(candles)), np.empty(len(candles)), np.empty(len(candles)))
        columns = (candles.slot, candles.high, candles.low, candles.close)
        _adx(*columns, self.length, self.last, self.average, self.count, *out)
        return out

    @property
    def warmup(self) -> int:
        """``2 * length - 1``, for ``adx``; ``plus`` and ``minus`` start at ``length``."""
        return 2 * self.length - 1
