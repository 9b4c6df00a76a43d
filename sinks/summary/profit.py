"""What a trade earns: profit factor, expectancy and System Quality Number."""

from __future__ import annotations

import math

import numpy as np

from sinks.columns import Floats
from sinks.summary.defined import defined, ratio


def profit_factor(pnl: Floats) -> float | None:
    """``sum of wins / |sum of losses|``, in money (freqtrade, vectorbt; backtesting.py sums returns in % instead).

    None without a loss: freqtrade shows 0 there and vectorbt infinity.

    >>> profit_factor(np.array([30.0, -10.0, 15.0, -20.0]))
    1.5
    """
    return ratio(float(pnl[pnl > 0].sum()), -float(pnl[pnl < 0].sum()))


def expectancy(pnl: Floats) -> float | None:
    """Mean P&L, which equals ``win rate * mean win - loss rate * |mean loss|`` (freqtrade, vectorbt).

    Of returns instead of money it is backtesting.py's "Expectancy [%]".

    >>> expectancy(np.array([30.0, -10.0, 15.0, -20.0]))
    3.75
    """
    return float(pnl.mean()) if len(pnl) else None


def expectancy_ratio(pnl: Floats) -> float | None:
    """``(1 + mean win / |mean loss|) * win rate - 1`` (freqtrade "Expectancy (Ratio)"): earned for each unit lost.

    Without a break-even trade it is the expectancy over the mean loss. None without a loss.

    >>> expectancy_ratio(np.array([30.0, -10.0, 15.0, -20.0]))
    0.25
    """
    wins, losses = pnl[pnl > 0], pnl[pnl < 0]
    if not len(losses):
        return None
    reward = float(wins.mean()) if len(wins) else 0.0
    return defined((1 + reward / -float(losses.mean())) * len(wins) / len(pnl) - 1)


def sqn(pnl: Floats) -> float | None:
    """``sqrt(n) * mean(pnl) / std(pnl, ddof=1)`` (V. K. Tharp, System Quality Number; backtesting.py, vectorbt).

    Tharp takes multiples of the risk and never more than 100 for n; like the libraries we take money and all trades.
    None below two trades and without any variance.

    >>> round(sqn(np.array([30.0, -10.0, 15.0, -20.0])), 6)
    0.327978
    """
    if len(pnl) < 2:
        return None
    spread = float(pnl.std(ddof=1))
    if spread <= 1e-12 * float(np.abs(pnl).max()):
        return None
    return ratio(math.sqrt(len(pnl)) * float(pnl.mean()), spread)


def geometric_mean(returns: Floats) -> float | None:
    """``(product of (1 + r)) ** (1 / n) - 1`` (backtesting.py "Avg. Trade [%]"). None if a trade lost all or more.

    >>> round(geometric_mean(np.array([1.0, -0.5])), 12)
    0.0
    """
    if not len(returns) or (returns <= -1).any():
        return None
    return defined(np.expm1(np.log1p(returns).mean()))
