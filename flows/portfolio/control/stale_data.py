"""Breaker: candles did not come."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.portfolio.control.base import ALL, Breaker, Figures, Place, Trip
from schemas.timeframe import to_millis


class StaleData(Breaker):
    """More than ``after`` lies between a symbol's candle and the one before it: nobody knows what happened there.

    A symbol that stays away trips it with its next candle: nothing of it can be entered before. Live, a symbol or
    a whole feed that is given up on trips it at once, when it has stayed away for longer than ``after`` by then.
    """

    name: ClassVar = "stale_data"
    limit: ClassVar = "after"

    def arm(self, tally: Any, day_equity: float) -> None:  # noqa: ARG002
        """The gap that the walk looks for. Other symbols go on, so it stays there."""
        tally["most_gap"] = to_millis(self.config.after)

    def missed(self, symbol: str | None, figures: Figures) -> Trip | None:
        """The symbol alone, or everything. What was given up on sooner is waited for."""
        if figures["gap_ms"] <= to_millis(self.config.after):
            return None
        return Trip(ALL if symbol is None else Place("symbol", symbol), {**figures, "after": self.config.after})
