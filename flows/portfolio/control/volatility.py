"""Breaker: a symbol jumps."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.portfolio.control.base import Breaker, Figures, Place, Trip


class Volatility(Breaker):
    """The log return of a candle is more than ``times`` the symbol's volatility before it, either way."""

    name: ClassVar = "volatility"
    limit: ClassVar = "times"

    def arm(self, tally: Any, day_equity: float) -> None:  # noqa: ARG002
        """The multiple that the walk looks for. Other symbols go on, so it stays there."""
        tally["most_shock"] = self.config.times

    def jumped(self, symbol: str, figures: Figures) -> Trip | None:
        """The symbol alone."""
        return Trip(Place("symbol", symbol), {**figures, "times": self.config.times})
