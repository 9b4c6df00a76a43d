"""Simple moving average."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.lengths import at_least
from flows.indicators.window import cell
from flows.kernel import kernel
from flows.module import Module


@kernel
def _sma(slot: Slots, x: Floats, ring: Floats, part: Floats, count: Ints, out: Floats) -> None:
    length = ring.shape[1]
    for i in range(len(x)):
        s, value = slot[i], x[i]
        out[i] = np.nan
        if np.isnan(value):
            continue
        at = cell(count[s], length)
        ring[s, at] = value
        if at < length - 1:
            part[s] += value
            count[s] += 1
            if count[s] > length:
                out[i] = (part[s] + ring[s, at + 1]) / length
            continue
        total = 0.0
        for j in range(length - 1, -1, -1):
            total += ring[s, j]
            ring[s, j] = total
        part[s], count[s] = 0.0, length
        out[i] = total / length


class SMA(Module):
    """Mean of the last ``length`` values of each symbol: ``(x[i] + … + x[i - length + 1]) / length``.

    NaN for the first ``length - 1`` values of a symbol; a NaN in ``x`` gives NaN and is otherwise passed over. O(1)
    work a row (amortised), O(length) state a symbol. Sums are never subtracted from (:mod:`flows.indicators.window`),
    so no rounding error outlives two windows.

    >>> SMA(2)(Candles.of([1.0, 2.0, 4.0])).tolist()
    [nan, 1.5, 3.0]
    """

    def __init__(self, length: int) -> None:
        at_least(1, length=length)
        self.length = length
        self.ring = self.state(length)
        self.part = self.state()
        self.count = self.state(dtype=np.int64)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The average at each row of ``candles``, of their close or of the column ``x``."""
        self.reserve(candles.slots)
        values = candles.close if x is None else x
        out = np.empty(len(values))
        _sma(candles.slot, values, self.ring, self.part, self.count, out)
        return out

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.length - 1
