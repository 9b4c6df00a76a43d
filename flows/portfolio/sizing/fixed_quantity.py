"""The same quantity each time."""

from __future__ import annotations

from schemas.config.risk import RiskConfig


def fixed_quantity(config: RiskConfig, equity: float, price: float, distance: float) -> float:  # noqa: ARG001
    """``risk.quantity``, in the base currency.

    >>> fixed_quantity(RiskConfig(quantity="0.5"), 10_000, 100.0, 5.0)
    0.5
    """
    return float(config.quantity)
