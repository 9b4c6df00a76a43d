"""Gate: what is borrowed stays within the account's own limit."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Capped, Figures, Gate, Intent, Refusal, Standing, over
from schemas.config.root import Config


class Told(Capped):
    """What it decides on."""

    leverage: float
    most: float


class Leverage(Gate):
    """All positions over equity may not pass ``risk.max_leverage``, whatever ``portfolio.leverage`` would lend."""

    name = "leverage"
    codes: ClassVar = {
        "LEVERAGE_TOO_HIGH": "with it, all positions together would be more than so many times equity",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_leverage`` and ``risk.over_cap``."""
        self.most, self.shrink = config.risk.max_leverage or 0.0, config.risk.over_cap == "shrink"

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a limit."""
        return config.risk.max_leverage is not None

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``LEVERAGE_TOO_HIGH`` above the limit, unless there is room left to shrink to."""
        notional = intent.quantity * intent.price
        figures = Told((standing.gross + notional) / standing.equity, self.most)
        room = standing.equity * self.most - standing.gross
        return figures if notional <= room else over(intent, room, "LEVERAGE_TOO_HIGH", figures, shrink=self.shrink)
