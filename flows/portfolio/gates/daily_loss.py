"""Gate: a bad day ends early."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config


class Told(Figures):
    """What it decides on."""

    lost: float  # account currency
    most: float


class DailyLoss(Gate):
    """Equity, positions marked, may not have fallen by ``risk.max_daily_loss_pct`` since the UTC day began."""

    name = "daily_loss"
    codes: ClassVar = {
        "LOSS_DAILY": "since the day began the account has lost its daily limit",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_daily_loss_pct``."""
        self.share = (config.risk.max_daily_loss_pct or 0.0) / 100

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a limit."""
        return config.risk.max_daily_loss_pct is not None

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``LOSS_DAILY`` from the limit on."""
        began = standing.memory.day_equity
        figures = Told(began - standing.equity, began * self.share)
        return Refusal("LOSS_DAILY", figures) if figures.lost >= figures.most else figures
