"""Crossings of two lines."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Flags, Floats, Slots
from flows.kernel import kernel
from flows.module import Module


@kernel
def _cross(slot: Slots, a: Floats, b: Floats, side: Flags, out: Flags) -> None:
    for i in range(len(a)):
        s = slot[i]
        now = np.int8(a[i] > b[i]) - np.int8(a[i] < b[i])  # 0 when equal, and when either is NaN
        out[i] = now if now != 0 and side[s] == -now else 0
        if now != 0:
            side[s] = now


class Cross(Module):
    """Where ``a`` crosses ``b``: +1 on the row where it comes to lie above, -1 where it comes to lie below, else 0.

    Touching is not crossing: equal values keep the side they came from. The first side seen is not a crossing.

    >>> import numpy as np
    >>> c = Candles.of([1.0, 3.0, 2.0, 1.0])
    >>> Cross()(c, c.close, np.full(4, 2.0)).tolist()
    [0, 1, 0, -1]
    """

    def __init__(self) -> None:
        self.side = self.state(dtype=np.int8)

    def __call__(self, candles: Candles, a: Floats, b: Floats) -> Flags:
        """+1, -1 or 0 at each row."""
        self.reserve(candles.slots)
        out = np.empty(len(a), np.int8)
        _cross(candles.slot, a, b, self.side, out)
        return out
