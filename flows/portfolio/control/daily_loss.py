"""Breaker: the day has cost too much."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.portfolio.control.base import ALL, OFF, Breaker, Figures, Place, Trip


class DailyLoss(Breaker):
    """Equity, positions marked, is ``max_pct`` or more below that of the UTC day's beginning, at some instant.

    After a reset within the day it is measured from the equity of then: one loss trips it once.
    """

    name: ClassVar = "daily_loss"
    limit: ClassVar = "max_pct"

    def arm(self, tally: Any, day_equity: float) -> None:
        """The level of the day, or of what is left of it."""
        tally["floor"] = self.counts.setdefault(ALL, day_equity) * (1 - self.config.max_pct / 100)

    def disarm(self, tally: Any) -> None:
        """No level."""
        tally["floor"] = OFF

    def figures(self, place: Place, tally: Any) -> Figures:
        """Equity, that from which it is measured, and the loss."""
        equity, began = tally["equity"].item(), self.counts[place]
        return {"equity": equity, "began": began, "lost": began - equity, "lost_pct": 100 * (began - equity) / began}

    def begin(self, place: Place, tally: Any) -> None:
        """From now on the loss is that since now."""
        self.counts[place] = tally["equity"].item()

    def day(self, equity: float) -> None:
        """From now on the loss is that of the new day."""
        self.counts[ALL] = equity

    def look(self, tally: Any) -> Trip | None:
        """From the limit on."""
        return Trip(ALL, self.figures(ALL, tally)) if tally["equity"].item() <= tally["floor"].item() else None
