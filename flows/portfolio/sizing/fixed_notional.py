"""The same value each time."""

from __future__ import annotations

from flows.portfolio.sizing.base import Ask, Sized
from schemas.config.risk import RiskConfig


def fixed_notional(config: RiskConfig, ask: Ask) -> Sized:
    """``risk.notional / price``: the same money in each position.

    The "equal value units" model of Van K. Tharp, "Trade Your Way to Financial Freedom", chapter on position sizing,
    with a value that is given instead of a share of the account.

    >>> fixed_notional(RiskConfig(notional="500"), Ask(10_000, 100.0, 5.0)).quantity
    5.0
    """
    return Sized(float(config.notional) / ask.price)
