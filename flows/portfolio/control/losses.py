"""Breaker: many losses in a short time."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, ClassVar

from flows.portfolio.control.base import Breaker, Closed, Figures, Place, Trip
from schemas.timeframe import to_millis


class Losses(Breaker):
    """``most`` positions were closed at a loss, fees counted, within ``window`` of event time."""

    name: ClassVar = "losses"
    limit: ClassVar = "most"

    def figures(self, place: Place, tally: Any) -> Figures:
        """Those of the last ``window``."""
        begin = tally["now"].item() - to_millis(self.config.window)
        found = self.counts.get(place, [])
        return {"losses": len(found) - bisect_right(found, begin), "window": self.config.window}

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
