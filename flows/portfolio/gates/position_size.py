"""Gate: no position larger than its share of the account."""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, UnsetType

from flows.portfolio.gates.base import Capped, Figures, Gate, Intent, Refusal, Standing, over
from schemas.config.root import Config


class Told(Capped):
    """What it decides on."""

    notional: float  # account currency
    most: float
    held: float | UnsetType = UNSET


class PositionSize(Gate):
    """``quantity × price`` may not pass ``risk.max_position_pct`` of equity, with what an addition adds to."""

    name = "position_size"
    codes: ClassVar = {
        "POSITION_TOO_LARGE": "it is worth more than its share of equity",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_position_pct`` and ``risk.over_cap``."""
        self.share, self.shrink = config.risk.max_position_pct / 100, config.risk.over_cap == "shrink"

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``POSITION_TOO_LARGE`` above the cap, unless it is shrunk to it."""
        room, notional = standing.equity * self.share, intent.quantity * intent.price
        figures = Told(notional, room)
        if standing.held_quantity:
            figures.held = standing.held_quantity * intent.price
            room -= standing.held_quantity * intent.price
        return figures if notional <= room else over(intent, room, "POSITION_TOO_LARGE", figures, shrink=self.shrink)
