"""Distances from a price, in the units of the configuration."""

from __future__ import annotations

from flows.portfolio.gates.base import Intent
from schemas.config.exits import Measure


def distance(by: Measure, at: float, intent: Intent) -> float:
    """``at`` distances of the stop, percent of the price, or average true ranges."""
    if by == "reward":
        return at * intent.risk
    return at * intent.atr if by == "atr" else at / 100 * intent.price
