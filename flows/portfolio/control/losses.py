"""Breaker: many losses in a short time."""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar

from flows.portfolio.control.base import Breaker, Closed, Trip
from schemas.timeframe import to_millis


class Losses(Breaker):
    """``most`` positions were closed at a loss, fees counted, within ``window`` of event time."""

    name: ClassVar = "losses"
    limit: ClassVar = "most"

    def closed(self, what: Closed) -> Trip | None:
        """With the loss that makes them so many. One that is as old as the window is out of it."""
        if what.pnl >= 0:
            return None
        place, begin = self.place(what.strategy, what.symbol), what.ts - to_millis(self.config.window)
        found = self.counts.setdefault(place, [])
        del found[: bisect_right(found, begin)]
        found.append(what.ts)
        if len(found) >= self.config.most:
            return Trip(place, {"losses": len(found), "most": self.config.most, "window": self.config.window})
        return None
