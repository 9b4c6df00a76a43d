"""Gate: the intent gets its quantity."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from flows.portfolio.sizing import SIZERS
from schemas.config.root import Config


class Size(Gate):
    """Asks the sizing rule of the configuration."""

    name = "size"
    codes: ClassVar = {
        "EQUITY_EXHAUSTED": "no equity is left to risk",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.sizing`` and the settings of that rule."""
        self.config, self.sizer = config.risk, SIZERS[config.risk.sizing]

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``EQUITY_EXHAUSTED`` when there is no equity left to risk."""
        if standing.equity <= 0:
            return Refusal("EQUITY_EXHAUSTED", {"equity": standing.equity})
        intent.quantity = self.sizer(self.config, standing.equity, intent.price, intent.risk)
        return {"equity": standing.equity, "quantity": intent.quantity}
