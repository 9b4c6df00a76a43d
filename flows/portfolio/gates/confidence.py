"""Gate: the strategy must be sure enough."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config


class Told(Figures):
    """What it decides on."""

    confidence: float
    least: float


class Confidence(Gate):
    """``confidence`` of the signal must reach ``risk.min_confidence``."""

    name = "confidence"
    codes: ClassVar = {
        "CONFIDENCE_TOO_LOW": "the strategy itself is not sure enough of the signal",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.min_confidence``."""
        self.least = config.risk.min_confidence

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a minimum."""
        return config.risk.min_confidence > 0

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``CONFIDENCE_TOO_LOW`` below the minimum."""
        figures = Told(intent.signal.confidence, self.least)
        return Refusal("CONFIDENCE_TOO_LOW", figures) if intent.signal.confidence < self.least else figures
