"""What the walk estimates of each symbol while it marks it: its range, its volatility, and samples of its returns.

Only what the configuration has a use for is computed (:func:`watch_of`). All of it is a function of the candles that
were marked, so a decision sees the candle of its instant, and a fill inside a candle sees those before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flows.columns import Floats, Ints
from flows.indicators.atr import true_range
from flows.indicators.ema import smooth
from flows.kernel import kernel
from schemas.config.root import Config
from schemas.timeframe import to_millis

ESTIMATES = [
    ("atr", "f8"),  # average true range, quote currency; NaN until there are `risk.atr_period` true ranges
    ("vol", "f8"),  # deviation of a candle's log return; NaN until there are `risk.vol_span` returns
    ("shock", "f8"),  # size of the last log return over `vol` as it was before it; NaN until there is one
    ("steps", "i8"),  # candles that had one before them
    ("ranges", "f8"),  # Wilder's average as it is carried on; their sum while there are too few
    ("squares", "f8"),  # the same of squared returns
    ("sampled", "f8"),  # close at the last sample of returns; 0 before the first
]
"""Fields of a lane. All of them are 0 or NaN for ever when nothing has a use for them."""


@kernel
def estimate(lane: Any, high: float, low: float, close: float, period: int, span: int) -> None:
    """One candle further, before it is marked: ``lane.mark`` is still the last close.

    ``period`` and ``span`` are 0 for what nobody asked for. ``atr`` is Wilder's (New Concepts in Technical Trading
    Systems, 1978), as the indicator has it. ``vol`` is the exponentially weighted deviation around zero of RiskMetrics
    (J.P. Morgan, Technical Document, 1996), ``v = v + (r² - v) × 2 / (span + 1)`` from the mean of the first ``span``
    squares on. A hole in the candles is one return.
    """
    last, seen = lane.mark, lane.steps
    if last <= 0.0:
        return
    lane.steps = seen + 1
    if period > 0:
        lane.ranges = smooth(lane.ranges, seen, true_range(high, low, last), period, 1.0 / period)
        if seen + 1 >= period:
            lane.atr = lane.ranges
    if span > 0:
        r = np.log(close / last)
        lane.shock = abs(r) / lane.vol
        lane.squares = smooth(lane.squares, seen, r * r, span, 2.0 / (span + 1))
        if seen + 1 >= span:
            lane.vol = np.sqrt(lane.squares)


@kernel
def sample(lanes: Any, ring: Floats, count: int) -> None:
    """Put the return of each symbol since the last sample into row ``count`` of the ring; NaN when it has none."""
    row = ring[count % len(ring)]
    for s in range(len(lanes)):
        lane = lanes[s]
        row[s] = lane.mark / lane.sampled - 1.0 if lane.sampled > 0.0 else np.nan
        lane.sampled = lane.mark


def watch_of(config: Config) -> Ints:
    """``risk.atr_period``, ``risk.vol_span`` and the ms between two samples of returns; 0 for what nobody uses."""
    uses_returns = config.risk.max_var_pct is not None
    uses_vol = config.risk.sizing == "volatility_target" or config.breakers.volatility.times is not None
    uses_atr = config.entries.uses_atr or any(exits.uses_atr for exits in config.all_exits())
    return np.array(
        [
            config.risk.atr_period if uses_atr else 0,
            config.risk.vol_span if uses_vol else 0,
            to_millis(config.risk.var_sample) if uses_returns else 0,
        ],
        np.int64,
    )


class Estimates:
    """What to estimate, and the ring of the last ``risk.var_window`` returns of each symbol (one a column).

    >>> from schemas.config.root import Config
    >>> Estimates(Config()).watch.tolist()
    [0, 0, 0]
    """

    def __init__(self, config: Config) -> None:
        self.watch = watch_of(config)
        self.ring = np.full((config.risk.var_window if self.watch[2] else 1, 0), np.nan)

    def reserve(self, lanes: int) -> None:
        """Make room for more symbols."""
        missing = lanes - self.ring.shape[1]
        if missing > 0:
            self.ring = np.concatenate([self.ring, np.full((len(self.ring), missing), np.nan)], axis=1)
