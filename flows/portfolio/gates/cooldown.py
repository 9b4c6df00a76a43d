"""Gate: some peace after an exit."""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, UnsetType

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config
from schemas.timeframe import to_millis


class Told(Figures):
    """What it decides on."""

    since_exit_ms: int | None
    least_ms: int | UnsetType = UNSET


class Cooldown(Gate):
    """After a position is closed, its strategy waits ``risk.cooldown`` before it enters the symbol again."""

    name = "cooldown"
    codes: ClassVar = {
        "COOLDOWN_ACTIVE": "the strategy closed a position in the symbol a moment ago",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.cooldown``."""
        self.wait = to_millis(config.risk.cooldown or "1s")

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a cooldown."""
        return config.risk.cooldown is not None

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``COOLDOWN_ACTIVE`` until the time is over, counted from the close of the exit's candle."""
        signal = intent.signal
        left = standing.memory.exits.get((signal.symbol, signal.strategy))
        if left is None:
            return Told(None)
        figures = Told(intent.now - left, self.wait)
        return Refusal("COOLDOWN_ACTIVE", figures) if intent.now - left < self.wait else figures
