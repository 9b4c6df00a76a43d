"""True range, and its average."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats, Slots
from flows.indicators.rma import RMA
from flows.kernel import kernel
from flows.module import Module


@kernel
def true_range(high: float, low: float, last: float) -> float:
    """The largest of ``high - low`` and the distances of both from the last close."""
    return max(high - low, abs(high - last), abs(low - last))


@kernel
def _true_range(slot: Slots, high: Floats, low: Floats, close: Floats, last: Floats, out: Floats) -> None:
    for i in range(len(close)):
        s = slot[i]
        out[i] = np.nan if np.isnan(last[s]) else true_range(high[i], low[i], last[s])
        last[s] = close[i]


class TrueRange(Module):
    """``max(high - low, |high - last close|, |low - last close|)``: the range with the gap before it.

    From J. Welles Wilder, New Concepts in Technical Trading Systems, 1978. NaN for the first candle of a symbol, which
    has no last close. O(1) work and state.

    >>> TrueRange()(Candles.of([1.0, 3.0, 2.0])).tolist()
    [nan, 2.0, 1.0]
    """

    def __init__(self) -> None:
        self.last = self.state(fill=np.nan)

    def __call__(self, candles: Candles) -> Floats:
        """The true range at each row of ``candles``, in quote currency."""
        self.reserve(candles.slots)
        out = np.empty(len(candles))
        _true_range(candles.slot, candles.high, candles.low, candles.close, self.last, out)
        return out

    @property
    def warmup(self) -> int:
        """1."""
        return 1


class ATR(Module):
    """Average true range: Wilder's average (RMA) of the true range.

    From J. Welles Wilder, New Concepts in Technical Trading Systems, 1978. NaN for the first ``length`` candles. O(1)
    work and state.

    >>> ATR(2)(Candles.of([1.0, 3.0, 2.0, 2.0])).tolist()
    [nan, nan, 1.5, 0.75]
    """

    def __init__(self, length: int = 14) -> None:
        self.range, self.average = TrueRange(), RMA(length)

    def __call__(self, candles: Candles) -> Floats:
        """The average at each row of ``candles``, in quote currency."""
        return self.average(candles, self.range(candles))

    @property
    def warmup(self) -> int:
        """``length``."""
        return self.range.warmup + self.average.warmup
