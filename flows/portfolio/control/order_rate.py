"""Breaker: many entries in a short time."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, ClassVar

from flows.portfolio.control.base import Breaker, Decided, Figures, Place, Trip
from schemas.timeframe import to_millis


class OrderRate(Breaker):
    """More than ``most`` entries were ordered within ``window`` of event time: something has run wild."""

    name: ClassVar = "order_rate"
    limit: ClassVar = "most"

    def figures(self, place: Place, tally: Any) -> Figures:
        """Those of the last ``window``."""
        begin = tally["now"].item() - to_millis(self.config.window)
        found = self.counts.get(place, [])
        return {"orders": len(found) - bisect_right(found, begin), "window": self.config.window}

    def decided(self, what: Decided) -> Trip | None:
        """With the first entry that is one too many. One that is as old as the window is out of it."""
        if what.refused:
            return None
        place, begin = self.place(what.strategy, what.symbol), what.ts - to_millis(self.config.window)
        found = self.counts.setdefault(place, [])
        del found[: bisect_right(found, begin)]
        found.append(what.ts)
        if len(found) > self.config.most:
            return Trip(place, {"orders": len(found), "most": self.config.most, "window": self.config.window})
        return None
