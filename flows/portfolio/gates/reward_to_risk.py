"""Gate: the target must be worth the stop."""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, UnsetType

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config


class Told(Figures):
    """What it decides on."""

    ratio: float | None
    least: float | UnsetType = UNSET


class RewardToRisk(Gate):
    """``|target - price| / |price - stop|`` must reach ``risk.min_reward_to_risk``. No target, no rule."""

    name = "reward_to_risk"
    codes: ClassVar = {
        "REWARD_TOO_SMALL": "the target is too near for the distance of the stop",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.min_reward_to_risk``."""
        self.least = config.risk.min_reward_to_risk

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``REWARD_TOO_SMALL`` below the minimum."""
        if intent.target is None:
            return Told(None)
        ratio = abs(float(intent.target) - intent.price) / intent.risk
        figures = Told(ratio, self.least)
        # A ratio that was meant to be the minimum may come out a rounding error (or a tick) short of it.
        return Refusal("REWARD_TOO_SMALL", figures) if ratio < self.least * (1 - 1e-9) else figures
