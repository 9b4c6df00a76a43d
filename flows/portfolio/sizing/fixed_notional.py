"""The same value each time."""

from __future__ import annotations

from schemas.config.risk import RiskConfig


def fixed_notional(config: RiskConfig, equity: float, price: float, distance: float) -> float:  # noqa: ARG001
    """``risk.notional / price``.

    >>> fixed_notional(RiskConfig(notional="500"), 10_000, 100.0, 5.0)
    5.0
    """
    return float(config.notional) / price
