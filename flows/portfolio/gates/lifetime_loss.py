"""Gate: an account that has lost too much opens nothing."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config


class Told(Figures):
    """What it decides on."""

    lost: float  # account currency
    most: float


class LifetimeLoss(Gate):
    """Equity, positions marked, may not have fallen by ``risk.max_lifetime_loss_pct`` since the beginning."""

    name = "lifetime_loss"
    codes: ClassVar = {
        "LOSS_LIFETIME": "since the beginning the account has lost its limit",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_lifetime_loss_pct`` and ``portfolio.cash``."""
        self.share = (config.risk.max_lifetime_loss_pct or 0.0) / 100
        self.cash = float(config.portfolio.cash)

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a limit."""
        return config.risk.max_lifetime_loss_pct is not None

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``LOSS_LIFETIME`` from the limit on."""
        began = self.cash
        figures = Told(began - standing.equity, began * self.share)
        return Refusal("LOSS_LIFETIME", figures) if figures.lost >= figures.most else figures
