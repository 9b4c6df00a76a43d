"""The same value each time."""

from __future__ import annotations

from flows.portfolio.sizing.base import Ask, Sized
from schemas.config.risk import RiskConfig


def fixed_notional(config: RiskConfig, ask: Ask) -> Sized:
    """``risk.notional / price``.

    >>> fixed_notional(RiskConfig(notional="500"), Ask(10_000, 100.0, 5.0)).quantity
    5.0
    """
    return Sized(float(config.notional) / ask.price)
