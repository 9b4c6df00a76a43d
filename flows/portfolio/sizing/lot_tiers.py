"""Lots by the size of the account."""

from __future__ import annotations

from flows.portfolio.sizing.base import Ask, Sized
from schemas.config.risk import RiskConfig


def lot_tiers(config: RiskConfig, ask: Ask) -> Sized:
    """The quantity of the highest of ``lot_tiers`` whose equity the account has; nothing below the lowest.

    ``quantity = tier(k).quantity`` with the largest ``k`` for which ``tier(k).equity <= equity``. The model "units per
    fixed amount of money" of Van K. Tharp, "Trade Your Way to Financial Freedom", chapter on position sizing, with a
    table that is yours. A step function of equity: it grows late and shrinks late.

    >>> tiers = [{"equity": "5000", "quantity": "0.1"}, {"equity": "20000", "quantity": "0.5"}]
    >>> [lot_tiers(RiskConfig(lot_tiers=tiers), Ask(equity, 100.0, 5.0)).quantity for equity in (4_999, 19_999, 20_000)]
    [0.0, 0.1, 0.5]
    """
    for tier in reversed(config.lot_tiers):
        if ask.equity >= tier.equity:
            return Sized(float(tier.quantity), {"tier": float(tier.equity)})
    return Sized(0.0, {"tier": None})
