"""Drawdown: falls of the equity below its running peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sinks.columns import Floats, Ints


@dataclass(frozen=True, slots=True)
class Falls:
    """All falls of an equity curve: the deepest point of each as a fraction, and how long it lasted, ms."""

    depth: Floats
    length_ms: Ints


def drawdown(equity: Floats) -> Floats:
    """``1 - equity / running maximum`` at each point: 0 at a peak, 0.1 ten percent below it.

    As backtesting.py and vectorbt have it, on equity; freqtrade takes the P&L of closed trades alone, which cannot
    see what an open position lost. Equity at or below zero gives 1 or more.

    >>> drawdown(np.array([100.0, 125.0, 93.75, 150.0])).tolist()
    [0.0, 0.0, 0.25, 0.0]
    """
    return 1 - equity / np.maximum.accumulate(equity)


def falls(ts: Ints, equity: Floats) -> Falls:
    """Each stretch below a peak: from the peak to the point that reaches it again, or to the last point.

    ``ts`` in ms, rising; the first equity must be above zero (backtesting.py "Avg. Drawdown [%]",
    "Max. Drawdown Duration").

    >>> found = falls(np.array([0, 10, 20, 30, 40]), np.array([100.0, 80.0, 100.0, 90.0, 95.0]))
    >>> found.depth.round(3).tolist(), found.length_ms.tolist()
    ([0.2, 0.1], [20, 20])
    """
    depth = drawdown(equity)
    below = np.concatenate(([False], depth > 0, [False]))
    edges = np.flatnonzero(below[1:] != below[:-1])
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return Falls(np.empty(0), np.empty(0, np.int64))
    deepest = np.maximum.reduceat(np.append(depth, 0.0), np.column_stack((starts, ends)).ravel())[::2]
    return Falls(deepest, ts[np.minimum(ends, len(ts) - 1)] - ts[starts - 1])
