"""Gate: the account can pay."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Capped, Figures, Gate, Intent, Refusal, Standing, over
from schemas.config.root import Config


class Told(Capped):
    """What it decides on."""

    needed: float  # account currency, with the fee
    free: float


class Cash(Gate):
    """Positions and the fee of this order must fit into ``equity × portfolio.leverage``."""

    name = "cash"
    codes: ClassVar = {
        "CASH_INSUFFICIENT": "the account cannot pay for it, and nothing is left to shrink it to",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``portfolio.leverage``, ``broker.fee_pct`` and ``risk.over_cap``."""
        self.leverage, self.shrink = config.portfolio.leverage, config.risk.over_cap == "shrink"
        self.cost = 1 + config.broker.fee_pct / 100

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``CASH_INSUFFICIENT`` when it cannot, unless it is shrunk to what it can."""
        free, notional = standing.equity * self.leverage - standing.gross, intent.quantity * intent.price
        figures = Told(notional * self.cost, free)
        room = free / self.cost
        return figures if notional <= room else over(intent, room, "CASH_INSUFFICIENT", figures, shrink=self.shrink)
