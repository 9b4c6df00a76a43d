"""Returns: of each UTC day, of the whole run, and by the year."""

from __future__ import annotations

import numpy as np

from sinks.columns import Floats, Ints
from sinks.summary.defined import defined

DAY_MS = 86_400_000
DAYS_A_YEAR = 365  # these markets never close


def daily_returns(ts: Ints, equity: Floats, starting: float) -> Floats | None:
    """``equity at the end of a UTC day / equity at the end of the day before - 1``, for each day of the run.

    ``ts`` (ms, rising) are ends of intervals, so midnight belongs to the day that it ends. The first day is measured
    from the starting cash, as vectorbt does (backtesting.py drops it); a first or last day that is not whole counts
    as a day; on a day without a record the equity stands still. None when the equity is used up (not above zero)
    or when records lie more than a day apart, so that days cannot be told from each other.

    >>> day = 86_400_000
    >>> daily_returns(np.array([day // 2, day, 3 * day]), np.array([99.0, 110.0, 99.0]), 100).round(3).tolist()
    [0.1, 0.0, -0.1]
    """
    if not len(ts):
        return np.empty(0)
    if len(ts) > 1 and np.percentile(np.diff(ts), 25) > DAY_MS:
        return None
    day = (ts - 1) // DAY_MS
    last = np.flatnonzero(np.append(np.diff(day) > 0, True))
    every = np.arange(day[0], day[-1] + 1)
    ends = equity[last[np.searchsorted(day[last], every, side="right") - 1]]
    levels = np.concatenate(([starting], ends))
    if (levels <= 0).any():
        return None
    return levels[1:] / levels[:-1] - 1


def total_return(starting: float, final: float) -> float | None:
    """``final / starting - 1`` (freqtrade "Total profit %", backtesting.py "Return [%]", vectorbt "Total Return [%]").

    >>> total_return(100, 125)
    0.25
    """
    return defined(final / starting - 1) if starting > 0 else None


def annual_return(returns: Floats | None) -> float | None:
    """``(product of (1 + r)) ** (365 / days) - 1`` (backtesting.py "Return (Ann.) [%]", vectorbt annualized_return).

    None below two days.

    >>> round(annual_return(np.full(365, 0.001)), 6)
    0.440251
    """
    if returns is None or len(returns) < 2:
        return None
    with np.errstate(over="ignore"):
        return defined(np.expm1(np.log1p(returns).sum() * DAYS_A_YEAR / len(returns)))


def cagr(starting: float, final: float, duration_ms: float) -> float | None:
    """``(final / starting) ** (1 / years) - 1``, by elapsed time, in years of 365 days (freqtrade calculate_cagr).

    freqtrade counts whole days; here the time is exact (backtesting.py "CAGR [%]": exact too, years of 365.25 days).
    None below one day, and when the account is used up.

    >>> round(cagr(100, 121, 2 * 365 * 86_400_000), 9)
    0.1
    """
    if duration_ms < DAY_MS or starting <= 0 or final <= 0:
        return None
    with np.errstate(over="ignore"):
        return defined(np.expm1(np.log(final / starting) * DAYS_A_YEAR * DAY_MS / duration_ms))
