"""Exponential moving average."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.lengths import at_least
from flows.kernel import kernel
from flows.module import Module


@kernel
def smooth(value: float, seen: int, x: float, length: int, factor: float) -> float:
    """One step of exponential smoothing that starts from the mean of the first ``length`` values.

    ``seen`` is how many values came before ``x``; until it reaches ``length``, ``value`` is their sum.
    """
    if seen >= length:
        return value + factor * (x - value)
    total = value + x
    return total / length if seen == length - 1 else total


@kernel
def _ema(slot: Slots, x: Floats, length: int, factor: float, average: Floats, count: Ints, out: Floats) -> None:
    for i in range(len(x)):
        s, value = slot[i], x[i]
        out[i] = np.nan
        if np.isnan(value):
            continue
        average[s] = smooth(average[s], count[s], value, length, factor)
        if count[s] < length:
            count[s] += 1
        if count[s] == length:
            out[i] = average[s]


class EMA(Module):
    """``y[i] = y[i - 1] + factor * (x[i] - y[i - 1])`` with ``factor = 2 / (length + 1)``.

    It starts from the mean of the first ``length`` values, as TA-Lib's does, and is NaN before. A NaN in ``x`` gives
    NaN and is otherwise passed over, so the warm-up of another indicator may be fed in. O(1) work and state.

    >>> EMA(3)(Candles.of([1.0, 2.0, 3.0, 6.0])).tolist()
    [nan, nan, 2.0, 4.0]
    """

    def __init__(self, length: int) -> None:
        at_least(1, length=length)
        self.length = length
        self.factor = 2.0 / (length + 1)
        self.average = self.state()
        self.count = self.state(dtype=np.int64)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The average at each row of ``candles``, of their close or of the column ``x``."""
        self.reserve(candles.slots)
        values = candles.close if x is None else x
        out = np.empty(len(values))
        _ema(candles.slot, values, self.length, self.factor, self.average, self.count, out)
        return out

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.length - 1
