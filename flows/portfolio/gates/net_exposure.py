"""Gate: not too much on one side of the market."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Capped, Figures, Gate, Intent, Refusal, Standing, over
from schemas.config.root import Config


class Told(Capped):
    """What it decides on."""

    net: float  # account currency
    notional: float
    most: float


class NetExposure(Gate):
    """Long less short value of all positions may not pass ``risk.max_net_exposure_pct`` of equity, either way."""

    name = "net_exposure"
    codes: ClassVar = {
        "NET_TOO_LARGE": "with it, longs less shorts would pass their share of equity",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_net_exposure_pct`` and ``risk.over_cap``."""
        self.share, self.shrink = (config.risk.max_net_exposure_pct or 0.0) / 100, config.risk.over_cap == "shrink"

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a cap."""
        return config.risk.max_net_exposure_pct is not None

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``NET_TOO_LARGE`` above the cap on its own side, unless there is room left to shrink to."""
        net = sum([one.signed for one in standing.exposures()])
        most, notional = standing.equity * self.share, intent.quantity * intent.price
        figures = Told(net, notional * intent.side, most)
        room = most - net * intent.side
        return figures if notional <= room else over(intent, room, "NET_TOO_LARGE", figures, shrink=self.shrink)
