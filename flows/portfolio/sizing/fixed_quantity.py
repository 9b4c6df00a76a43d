"""The same quantity each time."""

from __future__ import annotations

from flows.portfolio.sizing.base import Ask, Sized
from schemas.config.risk import RiskConfig


def fixed_quantity(config: RiskConfig, ask: Ask) -> Sized:  # noqa: ARG001
    """``risk.quantity``, in the base currency, whatever price, stop and account are.

    It needs no source: it is what the setting says, the baseline that the other rules are compared with.

    >>> fixed_quantity(RiskConfig(quantity="0.5"), Ask(10_000, 100.0, 5.0)).quantity
    0.5
    """
    return Sized(float(config.quantity))
