"""Return against risk: volatility, Sharpe, Sortino and Calmar, all on daily returns, with a risk-free rate of 0."""

from __future__ import annotations

import math

import numpy as np

from sinks.columns import Floats
from sinks.summary.defined import defined, ratio
from sinks.summary.returns import DAYS_A_YEAR

_ANNUAL = math.sqrt(DAYS_A_YEAR)


def annual_volatility(returns: Floats | None) -> float | None:
    """``std(r, ddof=1) * sqrt(365)`` (vectorbt annualized_volatility, after empyrical). None below two days.

    >>> round(annual_volatility(np.array([0.01, -0.01])), 6)
    0.270185
    """
    spread = _spread(returns)
    return None if spread is None else defined(spread * _ANNUAL)


def sharpe(returns: Floats | None) -> float | None:
    """``mean(r) / std(r, ddof=1) * sqrt(365)`` (W. F. Sharpe, The Sharpe Ratio, 1994; vectorbt sharpe_ratio).

    None below two days and without any variance.

    >>> round(sharpe(np.array([0.02, 0.0, 0.01])), 6)
    19.104973
    """
    if returns is None:
        return None
    spread = _spread(returns)
    return ratio(float(returns.mean()) * _ANNUAL, spread) if spread else None


def sortino(returns: Floats | None) -> float | None:
    """``mean(r) / sqrt(mean(min(r, 0)**2)) * sqrt(365)`` (Sortino and Price, 1994; vectorbt sortino_ratio).

    The downside is a mean over all days, not over the losing ones alone. None below two days or without a losing day.

    >>> round(sortino(np.array([0.02, -0.01])), 6)
    13.509256
    """
    if returns is None or len(returns) < 2:
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return ratio(float(returns.mean()) * _ANNUAL, downside)


def calmar(annual_return: float | None, max_drawdown: float | None) -> float | None:
    """``annual return / maximum drawdown``, both as fractions (T. W. Young, 1991; backtesting.py, vectorbt).

    Over the whole run, where Young took 36 months. None without a drawdown.

    >>> calmar(0.5, 0.25)
    2.0
    """
    return ratio(annual_return, max_drawdown)


def _spread(returns: Floats | None) -> float | None:
    """Sample standard deviation; 0 when all that differs is rounding."""
    if returns is None or len(returns) < 2:
        return None
    spread = float(returns.std(ddof=1))
    return spread if spread > 1e-12 * float(np.abs(returns).max()) else 0.0
