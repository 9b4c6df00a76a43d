"""Fixed-fraction risk."""

from __future__ import annotations

from flows.portfolio.sizing.base import Ask, Sized
from schemas.config.risk import RiskConfig


def risk(config: RiskConfig, ask: Ask) -> Sized:
    """Lose ``per_trade_pct`` of equity when the stop is hit: ``equity × pct / 100 / distance of the stop``.

    The percent-risk model of Van K. Tharp, "Trade Your Way to Financial Freedom", chapter on position sizing. A fill
    away from the signal's close (a gap, slippage) changes the loss with it.

    >>> risk(RiskConfig(per_trade_pct=1.0), Ask(10_000, 100.0, 5.0)).quantity
    20.0
    """
    return Sized(ask.equity * config.per_trade_pct / 100 / ask.distance)
