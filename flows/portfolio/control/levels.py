"""What the compiled walk compares for the breakers at every instant: levels of equity, a multiple, a gap, a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from flows.kernel import kernel

NEVER = 2**62

LEVELS = [
    ("armed", "i8"),  # 1 when anything below is to be looked at
    ("looked", "i8"),  # instant at which the walk has stopped for them
    ("alarm", "i8"),  # the walk stops at the first instant at or behind it; 0: at the end of this one
    ("floor", "f8"),  # … and when equity is not above this
    ("high", "f8"),  # peak of equity since the last reset
    ("keep", "f8"),  # … and when equity is not above this share of the peak
    ("most_shock", "f8"),  # a lane's shock above this is noted, and stops it
    ("most_gap", "i8"),  # so is a gap between two candles of a symbol above this, ms
]
"""Fields of the tally."""

NOTES = [
    ("seen", "i8"),  # close of the last candle, 0 before the first
    ("gap", "i8"),  # a gap that was found at this instant, ms
    ("jump", "f8"),  # a shock that was found at this instant
]
"""Fields of a lane."""


def put_levels(tally: Any, cash: float) -> None:
    """Nothing is looked at yet."""
    for name, value in (("alarm", NEVER), ("floor", -np.inf), ("high", cash), ("keep", -np.inf)):
        tally[name] = value
    tally["looked"], tally["most_shock"], tally["most_gap"] = -1, np.inf, NEVER


@kernel
def note(y: Any, lane: Any, ts: int) -> None:
    """One candle further, when its shock is known."""
    if lane.seen > 0 and ts - lane.seen > y.most_gap:
        lane.gap = ts - lane.seen
        y.alarm = 0
    lane.seen = ts
    if lane.shock > y.most_shock:
        lane.jump = lane.shock
        y.alarm = 0


@kernel
def reached(y: Any) -> bool:
    """Whether the walk has to stop at the end of this instant."""
    y.high = max(y.high, y.equity)
    return bool(y.now >= y.alarm or y.equity <= y.floor or y.equity <= y.high * y.keep)
