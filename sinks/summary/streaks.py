"""Streaks: how many trades in a row were won or lost."""

from __future__ import annotations

import numpy as np

from sinks.columns import Bools


def longest_run(mask: Bools) -> int:
    """The most True values in a row (freqtrade "Max Consecutive Wins / Loss", vectorbt winning_streak).

    freqtrade counts a trade that broke even as lost; here it ends either streak.

    >>> longest_run(np.array([True, False, True, True]))
    2
    """
    stops = np.flatnonzero(~np.concatenate(([False], mask, [False])))
    return int(np.diff(stops).max()) - 1
