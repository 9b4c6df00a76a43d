"""Gate: the strategy is live."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.control import steered
from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config
from schemas.record import Mode


class Told(Figures):
    """What it decides on."""

    mode: Mode


LIVE = Told("live")


class StrategyMode(Gate):
    """A strategy that a command has made a shadow closes what it holds, and opens nothing."""

    name = "strategy_mode"
    codes: ClassVar = {
        "STRATEGY_SHADOW": "a command has made the strategy a shadow",
    }

    def __init__(self, config: Config) -> None:
        """It has no settings."""

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without anybody who could change the mode."""
        return steered(config)

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``STRATEGY_SHADOW`` for such a one."""
        if intent.signal.strategy in standing.states.shadowed:
            return Refusal("STRATEGY_SHADOW", {"strategy": intent.signal.strategy})
        return LIVE
