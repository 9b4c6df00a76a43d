"""Gate: all positions together stay within their share of the account."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Capped, Figures, Gate, Intent, Refusal, Standing, over
from schemas.config.root import Config


class Told(Capped):
    """What it decides on."""

    gross: float  # account currency
    notional: float
    most: float


class GrossExposure(Gate):
    """Absolute value of all positions may not pass ``risk.max_gross_exposure_pct`` of equity."""

    name = "gross_exposure"
    codes: ClassVar = {
        "EXPOSURE_TOO_LARGE": "with it, all positions together would pass their share of equity",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_gross_exposure_pct`` and ``risk.over_cap``."""
        self.share, self.shrink = config.risk.max_gross_exposure_pct / 100, config.risk.over_cap == "shrink"

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``EXPOSURE_TOO_LARGE`` above the cap, unless there is room left to shrink to."""
        most, notional = standing.equity * self.share, intent.quantity * intent.price
        figures = Told(standing.gross, notional, most)
        room = most - standing.gross
        return figures if notional <= room else over(intent, room, "EXPOSURE_TOO_LARGE", figures, shrink=self.shrink)
