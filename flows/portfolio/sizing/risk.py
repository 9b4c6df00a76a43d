"""Fixed-fraction risk."""

from __future__ import annotations

from schemas.config.risk import RiskConfig


def risk(config: RiskConfig, equity: float, price: float, distance: float) -> float:  # noqa: ARG001
    """Lose ``per_trade_pct`` of equity when the stop is hit: ``equity × pct / 100 / distance of the stop``.

    The percent-risk model of Van K. Tharp, "Trade Your Way to Financial Freedom", chapter on position sizing. A fill
    away from the signal's close (a gap, slippage) changes the loss with it.

    >>> risk(RiskConfig(per_trade_pct=1.0), 10_000, 100.0, 5.0)
    20.0
    """
    return equity * config.per_trade_pct / 100 / distance
