"""Gate: not too much in symbols that move together."""

from __future__ import annotations

import math
from typing import ClassVar

from msgspec import UNSET, UnsetType

from flows.portfolio.gates.base import Capped, Figures, Gate, Intent, Refusal, Standing, over
from schemas.config.root import Config


class Told(Capped):
    """What it decides on."""

    group: str | None
    held: float | UnsetType = UNSET  # account currency
    notional: float | UnsetType = UNSET
    most: float | UnsetType = UNSET


class GroupExposure(Gate):
    """Absolute value of all positions in a group of symbols may not pass ``risk.max_group_exposure_pct``.

    A short beside a long counts as much as a second long: that symbols moved together is no promise.
    """

    name = "group_exposure"
    codes: ClassVar = {
        "GROUP_TOO_LARGE": "with it, all positions in a group of symbols would pass their share of equity",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.groups``, ``risk.max_group_exposure_pct`` and ``risk.over_cap``."""
        self.share, self.shrink = config.risk.max_group_exposure_pct / 100, config.risk.over_cap == "shrink"
        groups = {name: frozenset(symbols) for name, symbols in sorted(config.risk.groups.items())}
        self.groups = {
            symbol: [(name, symbols) for name, symbols in groups.items() if symbol in symbols]
            for symbol in frozenset().union(*groups.values())
        }

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without groups."""
        return bool(config.risk.groups)

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``GROUP_TOO_LARGE`` above the cap of the fullest group it is in, unless there is room left to shrink to."""
        groups = self.groups.get(intent.signal.symbol)
        if groups is None:
            return Told(None)
        exposures = standing.exposures()
        fullest, held = "", -math.inf
        for name, symbols in groups:
            value = sum([one.value for one in exposures if one.symbol in symbols])
            if value > held:
                fullest, held = name, value
        most, notional = standing.equity * self.share, intent.quantity * intent.price
        figures = Told(fullest, held, notional, most)
        room = most - held
        return figures if notional <= room else over(intent, room, "GROUP_TOO_LARGE", figures, shrink=self.shrink)
