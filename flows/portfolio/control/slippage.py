"""Breaker: fills are worse than expected."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.control.base import Breaker, Filled, Trip


class Slippage(Breaker):
    """The last ``fills`` fills were worse than expected, by more than ``max_pct`` of the price on the average.

    A market order expects the close at which it was decided, a stop its level. A better price counts as such.
    """

    name: ClassVar = "slippage"
    limit: ClassVar = "max_pct"

    def filled(self, what: Filled) -> Trip | None:
        """Once there have been so many."""
        place, most = self.place(what.strategy, what.symbol), self.config.fills
        worse = 100 * what.side * (what.price - what.expected) / what.expected
        found = self.counts.setdefault(place, [])
        found.append(worse)
        del found[:-most]
        mean = sum(found) / len(found)
        if len(found) == most and mean > self.config.max_pct:
            return Trip(place, {"mean_pct": mean, "max_pct": self.config.max_pct, "fills": most, "last_pct": worse})
        return None
