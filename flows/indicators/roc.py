"""Rate of change."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.lengths import at_least
from flows.indicators.window import cell
from flows.kernel import kernel
from flows.module import Module


@kernel
def _roc(slot: Slots, x: Floats, ring: Floats, count: Ints, out: Floats) -> None:
    length = ring.shape[1]
    for i in range(len(x)):
        s, value = slot[i], x[i]
        out[i] = np.nan
        if np.isnan(value):
            continue
        at = cell(count[s], length)
        old = ring[s, at]
        if count[s] >= length:
            out[i] = (value - old) / old * 100.0 if old != 0.0 else 0.0
        ring[s, at] = value
        count[s] = count[s] + 1 if at < length - 1 else length


class ROC(Module):
    """Change against the value ``length`` rows before, in percent: ``100 * (x[i] - x[i - length]) / x[i - length]``.

    0 where the old value is 0, as TA-Lib has it. NaN for the first ``length`` values; a NaN in ``x`` gives NaN and is
    otherwise passed over. O(1) work a row, O(length) state a symbol.

    >>> ROC(1)(Candles.of([2.0, 3.0, 3.0])).tolist()
    [nan, 50.0, 0.0]
    """

    def __init__(self, length: int = 10) -> None:
        at_least(1, length=length)
        self.length = length
        self.ring = self.state(length)
        self.count = self.state(dtype=np.int64)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The change at each row of ``candles``, of their close or of the column ``x``; 1.0 is 1 %."""
        self.reserve(candles.slots)
        values = candles.close if x is None else x
        out = np.empty(len(values))
        _roc(candles.slot, values, self.ring, self.count, out)
        return out

    @property
    def warmup(self) -> int:
        """``length``."""
        return self.length
