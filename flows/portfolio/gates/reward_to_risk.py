"""Gate: the target must be worth the stop."""

from __future__ import annotations

from flows.portfolio.gates.base import Figures, Intent, Refusal, Standing
from schemas.config.root import Config


class RewardToRisk:
    """``|target - price| / |price - stop|`` must reach ``risk.min_reward_to_risk``. No target, no rule."""

    name = "reward_to_risk"

    def __init__(self, config: Config) -> None:
        """Reads ``risk.min_reward_to_risk``."""
        self.least = config.risk.min_reward_to_risk

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``REWARD_TOO_SMALL`` below the minimum."""
        if intent.target is None:
            return {"ratio": None}
        ratio = abs(float(intent.target) - intent.price) / intent.risk
        figures: Figures = {"ratio": ratio, "least": self.least}
        # A ratio that was meant to be the minimum may come out a rounding error (or a tick) short of it.
        return Refusal("REWARD_TOO_SMALL", figures) if ratio < self.least * (1 - 1e-9) else figures
