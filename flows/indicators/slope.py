"""Linear regression over a sliding window: its slope, and the line that WMA is made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.lengths import at_least
from flows.indicators.window import cell
from flows.kernel import kernel
from flows.module import Module


@kernel
def _line(
    slot: Slots, x: Floats, sums: Floats, ramps: Floats, part: Floats, count: Ints, mean: Floats, slope: Floats
) -> None:
    length = sums.shape[1]
    centre = (length - 1) / 2.0
    # The sum of (j - centre)²; one value alone has slope 0, whatever it is divided by.
    spread = length * (length * length - 1.0) / 12.0 if length > 1 else 1.0
    for i in range(len(x)):
        s, value = slot[i], x[i]
        mean[i] = slope[i] = np.nan
        if np.isnan(value):
            continue
        at = cell(count[s], length)
        sums[s, at] = value
        if at < length - 1:
            away = value - part[s, 0]
            part[s, 1] += away
            part[s, 2] += at * away
            count[s] += 1
            if count[s] <= length:
                continue
            # Cells after `at` are the older part of the window, so they come first in time.
            total = part[s, 1] + sums[s, at + 1]
            ramp = ramps[s, at + 1] - (at + 1) * sums[s, at + 1] + part[s, 2] + (length - 1 - at) * part[s, 1]
        else:
            total = ramp = 0.0
            for j in range(length - 1, -1, -1):
                away = sums[s, j] - value
                total += away
                ramp += j * away
                sums[s, j], ramps[s, j] = total, ramp
            part[s, 0], part[s, 1], part[s, 2] = value, 0.0, 0.0
            count[s] = length
        mean[i] = part[s, 0] + total / length
        slope[i] = (ramp - centre * total) / spread


class MeanSlope(NamedTuple):
    """Two columns: the regression line by its value at the centre of the window, and its rise a candle."""

    mean: Floats
    slope: Floats


class Line(Module):
    """The least-squares line through the last ``length`` values of each symbol, one step a candle.

    ``slope = sum((j - c) * x[j]) / sum((j - c)²)`` with ``c = (length - 1) / 2`` and ``j`` from 0 at the oldest value.
    Sums are of differences to a value of the window itself, as in :class:`~flows.indicators.moments.Moments`, so the
    price level costs no digits. O(1) work a row (amortised), O(2 * length) state a symbol.

    >>> mean, slope = Line(2)(Candles.of([1.0, 3.0, 3.0]))
    >>> mean.tolist(), slope.tolist()
    ([nan, 2.0, 3.0], [nan, 2.0, 0.0])
    """

    def __init__(self, length: int) -> None:
        at_least(1, length=length)
        self.length = length
        self.sums = self.state(length)
        self.ramps = self.state(length)
        self.part = self.state(3)
        self.count = self.state(dtype=np.int64)

    def __call__(self, candles: Candles, x: Floats | None = None) -> MeanSlope:
        """Both columns at each row of ``candles``, of their close or of the column ``x``."""
        self.reserve(candles.slots)
        values = candles.close if x is None else x
        mean, slope = np.empty(len(values)), np.empty(len(values))
        _line(candles.slot, values, self.sums, self.ramps, self.part, self.count, mean, slope)
        return MeanSlope(mean, slope)

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.length - 1


class Slope(Module):
    """Slope of the least-squares line through the last ``length`` values, in units of the value a candle.

    NaN for the first ``length - 1`` values. Formula, precision and cost are those of :class:`Line`.

    >>> Slope(3)(Candles.of([1.0, 2.0, 3.0, 1.0])).tolist()
    [nan, nan, 1.0, -0.5]
    """

    def __init__(self, length: int = 14) -> None:
        at_least(2, length=length)
        self.line = Line(length)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The slope at each row of ``candles``, of their close or of the column ``x``."""
        return self.line(candles, x).slope

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.line.warmup
