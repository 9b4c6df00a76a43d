"""Volatility target."""

from __future__ import annotations

from flows.portfolio.sizing.base import Ask, Sized
from schemas.config.risk import RiskConfig


def volatility_target(config: RiskConfig, ask: Ask) -> Sized:
    """A position that moves by ``target_vol_pct`` of equity in a year: ``equity × target / (price × volatility)``.

    The volatility is that of the symbol's candles (``vol_span``), times the root of how many of them a year of 365
    days has. As in Moskowitz, Ooi and Pedersen, "Time series momentum", Journal of Financial Economics, 2012, section
    2.4. Nothing while the volatility is not known, or while the price does not move at all.

    >>> volatility_target(RiskConfig(target_vol_pct=20.0), Ask(10_000, 100.0, 5.0, vol=0.5))
    Sized(quantity=40.0, figures={'vol_pct': 50.0})
    """
    if not ask.vol > 0:
        return Sized(0.0, {"vol_pct": 0.0 if ask.vol == 0 else None})
    return Sized(ask.equity * config.target_vol_pct / 100 / (ask.price * ask.vol), {"vol_pct": 100 * ask.vol})
