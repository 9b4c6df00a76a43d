"""Gate: no more than so many entries in a while."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config
from schemas.timeframe import to_millis


class Told(Figures):
    """What it decides on."""

    orders: int
    most: int


class OrderRate(Gate):
    """At most ``risk.max_orders`` entries of the account in any ``risk.order_window`` of event time."""

    name = "order_rate"
    codes: ClassVar = {
        "ORDERS_TOO_MANY": "there have been too many entries in a short time",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_orders`` and ``risk.order_window``."""
        self.most, self.window = config.risk.max_orders or 0, to_millis(config.risk.order_window)

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a limit."""
        return config.risk.max_orders is not None

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``ORDERS_TOO_MANY`` when one more would pass the limit."""
        figures = Told(standing.memory.entries_since(intent.now - self.window), self.most)
        return Refusal("ORDERS_TOO_MANY", figures) if figures.orders >= self.most else figures
