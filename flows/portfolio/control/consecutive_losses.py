"""Breaker: one loss after the other."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.portfolio.control.base import Breaker, Closed, Figures, Place, Trip


class ConsecutiveLosses(Breaker):
    """``most`` positions in a row were closed at a loss, fees counted. One that ends at zero or better ends the row."""

    name: ClassVar = "consecutive_losses"
    limit: ClassVar = "most"

    def figures(self, place: Place, tally: Any) -> Figures:  # noqa: ARG002
        """The row, and what it cost."""
        row, lost = self.counts.get(place, (0, 0.0))
        return {"losses": row, "lost": lost}

    def closed(self, what: Closed) -> Trip | None:
        """With the last loss of the row."""
        place = self.place(what.strategy, what.symbol)
        row, lost = self.counts.get(place, (0, 0.0))
        self.counts[place] = row, lost = (row + 1, lost - float(what.pnl)) if what.pnl < 0 else (0, 0.0)
        if row >= self.config.most:
            return Trip(place, {"losses": row, "most": self.config.most, "lost": lost})
        return None
