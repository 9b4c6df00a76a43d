"""Crossings of two lines by the rule all sides of the comparison share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def crossings(fast: Any, slow: Any) -> Any:
    """+1 where ``fast`` comes to lie above ``slow``, -1 where it comes to lie below, else 0.

    Touching keeps the side it came from; the first side seen is no crossing.
    """
    out = np.zeros(len(fast), np.int8)
    side = 0
    for i in range(len(fast)):
        now = 1 if fast[i] > slow[i] else (-1 if fast[i] < slow[i] else 0)
        if now != 0:
            if side == -now:
                out[i] = now
            side = now
    return out
