"""On-balance volume."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats, Slots
from flows.kernel import kernel
from flows.module import Module


@kernel
def _obv(slot: Slots, close: Floats, volume: Floats, last: Floats, total: Floats, out: Floats) -> None:
    for i in range(len(close)):
        s = slot[i]
        step = volume[i]
        if not np.isnan(last[s]):
            step = volume[i] * (np.float64(close[i] > last[s]) - np.float64(close[i] < last[s]))
        last[s] = close[i]
        # Knuth's two-sum: what rounding takes from the total is kept beside it, so an endless sum does not drift.
        old = total[s, 0]
        new = old + step
        back = new - old
        total[s, 0] = new
        total[s, 1] += (old - (new - back)) + (step - back)
        out[i] = total[s, 0] + total[s, 1]


class OBV(Module):
    """Running sum of the volume of candles that closed higher, less that of those that closed lower.

    From Joseph E. Granville, New Key to Stock Market Profits, 1963. It starts at the first candle's volume, as TA-Lib's
    does, so only its changes mean anything. The sum is compensated (Ogita, Rump and Oishi, SIAM J. Sci. Comput. 26,
    2005) and does not drift. No warm-up. O(1) work and state.

    >>> OBV()(Candles.of([1.0, 3.0, 3.0, 2.0, 1.0])).tolist()
    [1.0, 2.0, 2.0, 1.0, 0.0]
    """

    def __init__(self) -> None:
        self.last = self.state(fill=np.nan)
        self.total = self.state(2)

    def __call__(self, candles: Candles) -> Floats:
        """The sum at each row of ``candles``, in the unit of their volume."""
        self.reserve(candles.slots)
        out = np.empty(len(candles))
        _obv(candles.slot, candles.close, candles.volume, self.last, self.total, out)
        return out
