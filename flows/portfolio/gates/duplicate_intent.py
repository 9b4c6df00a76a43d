"""Gate: an intent is carried out once."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config


class Told(Figures):
    """What it decides on."""

    held: int  # 1 long, -1 short, 0 none


class DuplicateIntent(Gate):
    """Refuses a wish for what the strategy already holds in the symbol, after ``entries.additions`` additions to it."""

    name = "duplicate_intent"
    codes: ClassVar = {
        "INTENT_DUPLICATE": "the strategy holds that side of the symbol already, or has ordered it",
    }

    def __init__(self, config: Config) -> None:
        """It has no settings."""

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``INTENT_DUPLICATE`` when the position wanted is there, or on its way."""
        if standing.held == intent.side and standing.additions <= 0:
            return Refusal("INTENT_DUPLICATE", {"held": "long" if standing.held > 0 else "short"})
        return Told(standing.held)
