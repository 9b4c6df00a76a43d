"""Gate: one position may lose only so much."""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, UnsetType

from flows.portfolio.gates.base import Capped, Figures, Gate, Intent, Refusal, Standing, over
from schemas.config.root import Config


class Told(Capped):
    """What it decides on."""

    risk: float  # account currency
    most: float
    held: float | UnsetType = UNSET


class Risk(Gate):
    """``quantity × |price - stop|`` may not pass ``risk.max_risk_pct`` of equity, whatever the sizing rule wants.

    What an addition adds to counts as if it had the stop of the addition: no stop of it will be farther away.
    """

    name = "risk"
    codes: ClassVar = {
        "RISK_TOO_LARGE": "it would lose more than its share of equity when its stop is hit",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_risk_pct`` and ``risk.over_cap``."""
        self.share, self.shrink = config.risk.max_risk_pct / 100, config.risk.over_cap == "shrink"

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``RISK_TOO_LARGE`` above the cap, unless it is shrunk to it."""
        most = standing.equity * self.share
        figures = Told(intent.quantity * intent.risk, most)
        if standing.held_quantity:
            figures.held = standing.held_quantity * intent.risk
            most -= standing.held_quantity * intent.risk
        room = most / intent.risk * intent.price
        fits = intent.quantity * intent.price <= room
        return figures if fits else over(intent, room, "RISK_TOO_LARGE", figures, shrink=self.shrink)
