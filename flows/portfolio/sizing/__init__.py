"""Sizing: how much to trade, one rule a file. To add one: its file, and its line here."""

from __future__ import annotations

from collections.abc import Callable

from flows.portfolio.sizing.fixed_notional import fixed_notional
from flows.portfolio.sizing.fixed_quantity import fixed_quantity
from flows.portfolio.sizing.risk import risk
from schemas.config.risk import RiskConfig

Sizer = Callable[[RiskConfig, float, float, float], float]
"""(configuration, equity, price, distance of the stop from it) to quantity in the base currency, not yet rounded."""

SIZERS: dict[str, Sizer] = {
    "risk": risk,
    "fixed_quantity": fixed_quantity,
    "fixed_notional": fixed_notional,
}
