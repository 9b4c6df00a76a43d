"""Gate: not too much in one symbol."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Capped, Figures, Gate, Intent, Refusal, Standing, over
from schemas.config.root import Config


class Told(Capped):
    """What it decides on."""

    held: float  # account currency
    notional: float
    most: float


class SymbolExposure(Gate):
    """Absolute value of the positions of all strategies in a symbol may not pass ``risk.max_symbol_exposure_pct``."""

    name = "symbol_exposure"
    codes: ClassVar = {
        "SYMBOL_TOO_LARGE": "with it, all positions in the symbol would pass their share of equity",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_symbol_exposure_pct`` and ``risk.over_cap``."""
        self.share, self.shrink = (config.risk.max_symbol_exposure_pct or 0.0) / 100, config.risk.over_cap == "shrink"

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a cap."""
        return config.risk.max_symbol_exposure_pct is not None

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``SYMBOL_TOO_LARGE`` above the cap, unless there is room left to shrink to."""
        symbol = intent.signal.symbol
        held = sum([one.value for one in standing.exposures() if one.symbol == symbol])
        most, notional = standing.equity * self.share, intent.quantity * intent.price
        figures = Told(held, notional, most)
        room = most - held
        return figures if notional <= room else over(intent, room, "SYMBOL_TOO_LARGE", figures, shrink=self.shrink)
