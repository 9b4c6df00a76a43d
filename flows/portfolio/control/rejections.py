"""Breaker: gates refuse nearly everything."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.portfolio.control.base import Breaker, Decided, Figures, Place, Trip


class Rejections(Breaker):
    """Of the last ``decisions`` wishes, ``max_pct`` or more were refused.

    What a trading state refuses does not count, nor does what was asked for a second time: neither says anything about
    the wish.
    """

    name: ClassVar = "rejections"
    limit: ClassVar = "max_pct"

    def figures(self, place: Place, tally: Any) -> Figures:  # noqa: ARG002
        """Among the last ones."""
        found = self.counts.get(place, [])
        return {"refused": found.count(True), "decisions": len(found)}

    def decided(self, what: Decided) -> Trip | None:
        """Once there have been so many."""
        place, most = self.place(what.strategy, what.symbol), self.config.decisions
        found = self.counts.setdefault(place, [])
        found.append(what.refused)
        del found[:-most]
        refused = found.count(True)
        share = 100 * refused / most
        if len(found) == most and share >= self.config.max_pct:
            figures = {"refused": refused, "decisions": most, "refused_pct": share, "max_pct": self.config.max_pct}
            return Trip(place, figures)
        return None
