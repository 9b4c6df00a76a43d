"""Sizing: how much to trade, one rule a file. To add one: its file, and its line here."""

from __future__ import annotations

from flows.portfolio.sizing.base import Multiplier, Sizer
from flows.portfolio.sizing.by_confidence import by_confidence
from flows.portfolio.sizing.by_consensus import by_consensus
from flows.portfolio.sizing.by_strategy import by_strategy
from flows.portfolio.sizing.fixed_notional import fixed_notional
from flows.portfolio.sizing.fixed_quantity import fixed_quantity
from flows.portfolio.sizing.kelly import kelly
from flows.portfolio.sizing.lot_tiers import lot_tiers
from flows.portfolio.sizing.risk import risk
from flows.portfolio.sizing.volatility_target import volatility_target

SIZERS: dict[str, Sizer] = {
    "risk": risk,
    "fixed_quantity": fixed_quantity,
    "fixed_notional": fixed_notional,
    "volatility_target": volatility_target,
    "kelly": kelly,
    "lot_tiers": lot_tiers,
}
"""By ``risk.sizing``."""

MULTIPLIERS: dict[str, Multiplier] = {
    "strategy_scale": by_strategy,
    "scale_by_confidence": by_confidence,
    "scale_by_consensus": by_consensus,
}
"""By the setting under ``risk`` that asks for it. Each is from 0 to 1: a multiplier only makes smaller."""
