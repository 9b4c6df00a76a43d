"""Mean and standard deviation over a sliding window: what Stdev, Bollinger and ZScore are made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.lengths import at_least
from flows.indicators.window import cell
from flows.kernel import kernel
from flows.module import Module


@kernel
def _moments(
    slot: Slots, x: Floats, sums: Floats, squares: Floats, part: Floats, count: Ints, mean: Floats, deviation: Floats
) -> None:
    length = sums.shape[1]
    for i in range(len(x)):
        s, value = slot[i], x[i]
        mean[i] = deviation[i] = np.nan
        if np.isnan(value):
            continue
        at = cell(count[s], length)
        sums[s, at] = value
        if at < length - 1:
            away = value - part[s, 0]
            part[s, 1] += away
            part[s, 2] += away * away
            count[s] += 1
            if count[s] <= length:
                continue
            total = part[s, 1] + sums[s, at + 1]
            square = part[s, 2] + squares[s, at + 1]
        else:
            total = square = 0.0
            for j in range(length - 1, -1, -1):
                away = sums[s, j] - value
                total += away
                square += away * away
                sums[s, j], squares[s, j] = total, square
            part[s, 0], part[s, 1], part[s, 2] = value, 0.0, 0.0
            count[s] = length
        average = total / length
        mean[i] = part[s, 0] + average
        deviation[i] = np.sqrt(max(square / length - average * average, 0.0))


class MeanDeviation(NamedTuple):
    """Two columns."""

    mean: Floats
    deviation: Floats


class Moments(Module):
    """Mean and population standard deviation (divided by ``length``) of the last ``length`` values of each symbol.

    All sums are of differences to an anchor, a value of the window itself (chosen anew each time the ring is full).
    The variance then loses at most a factor ``length`` of relative precision whatever the price level, where
    ``E[x²] - E[x]²`` on prices loses all digits (Chan, Golub and LeVeque, The American Statistician 37, 1983, on
    shifted data); a flat window gives exactly 0. O(1) work a row (amortised), O(2 * length) state a symbol.

    >>> mean, deviation = Moments(2)(Candles.of([1.0, 3.0, 3.0]))
    >>> mean.tolist(), deviation.tolist()
    ([nan, 2.0, 3.0], [nan, 1.0, 0.0])
    """

    def __init__(self, length: int) -> None:
        at_least(2, length=length)
        self.length = length
        self.sums = self.state(length)
        self.squares = self.state(length)
        self.part = self.state(3)
        self.count = self.state(dtype=np.int64)

    def __call__(self, candles: Candles, x: Floats | None = None) -> MeanDeviation:
        """Both columns at each row of ``candles``, of their close or of the column ``x``."""
        self.reserve(candles.slots)
        values = candles.close if x is None else x
        mean, deviation = np.empty(len(values)), np.empty(len(values))
        _moments(candles.slot, values, self.sums, self.squares, self.part, self.count, mean, deviation)
        return MeanDeviation(mean, deviation)

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.length - 1
