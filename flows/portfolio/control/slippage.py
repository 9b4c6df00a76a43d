"""Breaker: fills are worse than expected."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.portfolio.control.base import Breaker, Figures, Filled, Place, Trip


class Slippage(Breaker):
    """The last ``fills`` fills were worse than expected, by more than ``max_pct`` of the price on the average.

    A market order expects the close at which it was decided, a stop its level. A better price counts as such.
    """

    name: ClassVar = "slippage"
    limit: ClassVar = "max_pct"

    def figures(self, place: Place, tally: Any) -> Figures:  # noqa: ARG002
        """The mean of the last ones."""
        found = self.counts.get(place, [])
        return {"mean_pct": sum(found) / len(found) if found else None, "fills": len(found)}

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
