"""Gate: no more than so many positions at once."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config


class Told(Figures):
    """What it decides on."""

    open: int
    most: int


class OpenPositions(Gate):
    """Counts positions that are open or on their way. An addition is no position of its own."""

    name = "open_positions"
    codes: ClassVar = {
        "POSITIONS_TOO_MANY": "one more position would pass the limit",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_open_positions``."""
        self.most = config.risk.max_open_positions

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``POSITIONS_TOO_MANY`` when one more would pass the limit."""
        figures = Told(standing.positions, self.most)
        return (
            Refusal("POSITIONS_TOO_MANY", figures)
            if standing.positions >= self.most and standing.held != intent.side
            else figures
        )
