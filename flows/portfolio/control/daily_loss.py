"""Breaker: the day has cost too much."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.portfolio.control.base import ALL, OFF, Breaker, Trip


class DailyLoss(Breaker):
    """Equity, positions marked, is ``max_pct`` or more below that of the UTC day's beginning, at some instant."""

    name: ClassVar = "daily_loss"
    limit: ClassVar = "max_pct"

    def arm(self, tally: Any, day_equity: float) -> None:
        """The level of the day."""
        tally["floor"] = day_equity * (1 - self.config.max_pct / 100)

    def disarm(self, tally: Any) -> None:
        """No level."""
        tally["floor"] = OFF

    def look(self, tally: Any, day_equity: float) -> Trip | None:
        """From the limit on."""
        equity = tally["equity"].item()
        if equity <= tally["floor"].item():
            lost = day_equity - equity
            return Trip(ALL, {"equity": equity, "began": day_equity, "lost": lost, "lost_pct": 100 * lost / day_equity})
        return None
