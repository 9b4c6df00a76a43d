"""Rolling maximum and minimum."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.lengths import at_least
from flows.indicators.window import cell
from flows.kernel import kernel
from flows.module import Module


@kernel
def _highest(slot: Slots, x: Floats, sign: float, ring: Floats, part: Floats, count: Ints, out: Floats) -> None:
    length = ring.shape[1]
    for i in range(len(x)):
        s, value = slot[i], sign * x[i]
        out[i] = np.nan
        if np.isnan(value):
            continue
        at = cell(count[s], length)
        ring[s, at] = value
        if at < length - 1:
            part[s] = max(part[s], value)
            count[s] += 1
            if count[s] > length:
                out[i] = sign * max(part[s], ring[s, at + 1])
            continue
        best = -np.inf
        for j in range(length - 1, -1, -1):
            best = max(best, ring[s, j])
            ring[s, j] = best
        part[s], count[s] = -np.inf, length
        out[i] = sign * best


class _Extreme(Module):
    """What Highest and Lowest share: a minimum is the maximum of the negatives."""

    def __init__(self, length: int, sign: float) -> None:
        at_least(1, length=length)
        self.length = length
        self.sign = sign
        self.ring = self.state(length)
        self.part = self.state(fill=-np.inf)
        self.count = self.state(dtype=np.int64)

    def _extreme(self, candles: Candles, values: Floats) -> Floats:
        self.reserve(candles.slots)
        out = np.empty(len(values))
        _highest(candles.slot, values, self.sign, self.ring, self.part, self.count, out)
        return out

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.length - 1


class Highest(_Extreme):
    """The largest of the last ``length`` values of each symbol.

    NaN for the first ``length - 1`` values; a NaN in ``x`` gives NaN and is otherwise passed over. O(1) work a row
    (amortised), O(length) state a symbol (:mod:`flows.indicators.window`).

    >>> Highest(2)(Candles.of([1.0, 3.0, 2.0, 1.0])).tolist()
    [nan, 3.0, 3.0, 2.0]
    """

    def __init__(self, length: int) -> None:
        super().__init__(length, 1.0)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The maximum at each row of ``candles``, of their high or of the column ``x``."""
        return self._extreme(candles, candles.high if x is None else x)


class Lowest(_Extreme):
    """The smallest of the last ``length`` values of each symbol; otherwise as :class:`Highest`.

    >>> Lowest(2)(Candles.of([1.0, 3.0, 2.0, 1.0])).tolist()
    [nan, 1.0, 2.0, 1.0]
    """

    def __init__(self, length: int) -> None:
        super().__init__(length, -1.0)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The minimum at each row of ``candles``, of their low or of the column ``x``."""
        return self._extreme(candles, candles.low if x is None else x)
