"""Swing highs and lows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.extremes import Highest, Lowest
from flows.indicators.lengths import at_least
from flows.kernel import kernel
from flows.module import Module


@kernel
def _swing(
    slot: Slots, x: Floats, best: Floats, sign: float, strength: int, price: Floats, age: Ints, at: Floats, last: Floats
) -> None:
    for i in range(len(x)):
        s = slot[i]
        at[i] = np.nan
        # price[s] holds the extreme of the candles before this one, the candidate, and the last confirmed swing. An
        # older candidate is always within reach of a new one, which beats it: so there is never more than one.
        if sign * x[i] > sign * price[s, 0]:
            price[s, 1], age[s] = x[i], 0
        elif age[s] >= 0:
            age[s] += 1
            if age[s] == strength:
                at[i] = price[s, 2] = price[s, 1]
                age[s] = -1
        price[s, 0] = best[i]
        last[i] = price[s, 2]


class Swing(NamedTuple):
    """Four columns.

    ``high`` and ``low`` hold the price of a swing on the row that confirms it, and NaN on all others; ``last_high``
    and ``last_low`` that of the last confirmed one, NaN before there is one.
    """

    high: Floats
    low: Floats
    last_high: Floats
    last_low: Floats


class Swings(Module):
    """Highs (lows) beyond the ``strength`` candles on either side; known ``strength`` candles later, and given then.

    A swing high is above each of the ``strength`` highs before it and not below any of those after it, so of equal
    tops the first counts. With ``strength=2`` these are the fractals of Bill Williams, Trading Chaos, 1995. Nothing is
    written back to the row of the swing itself: that would be looking ahead. The first ``2 * strength`` rows are
    NaN. O(1) work a row (amortised), O(2 * strength) state a symbol.

    >>> swings = Swings(1)(Candles.of([1.0, 3.0, 2.0, 4.0]))
    >>> swings.high.tolist(), swings.last_low.tolist()
    ([nan, nan, 3.0, nan], [nan, nan, nan, 2.0])
    """

    def __init__(self, strength: int = 2) -> None:
        at_least(1, strength=strength)
        self.strength = strength
        self.highest, self.lowest = Highest(strength), Lowest(strength)
        self.highs, self.lows = self.state(3, fill=np.nan), self.state(3, fill=np.nan)
        self.high_age = self.state(dtype=np.int64, fill=-1)
        self.low_age = self.state(dtype=np.int64, fill=-1)

    def __call__(self, candles: Candles) -> Swing:
        """The four columns at each row of ``candles``."""
        self.reserve(candles.slots)
        out = Swing(*np.empty((4, len(candles))))
        slot, high, low = candles.slot, candles.high, candles.low
        _swing(
            slot, high, self.highest(candles), 1.0, self.strength, self.highs, self.high_age, out.high, out.last_high
        )
        _swing(slot, low, self.lowest(candles), -1.0, self.strength, self.lows, self.low_age, out.low, out.last_low)
        return out

    @property
    def warmup(self) -> int:
        """``2 * strength``: no row before that can hold a value; when one does depends on the prices."""
        return 2 * self.strength
