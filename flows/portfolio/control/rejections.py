"""Breaker: gates refuse nearly everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from flows.portfolio.control.base import Breaker, Decided, Trip


class Rejections(Breaker):
    """Of the last ``decisions`` wishes, ``max_pct`` or more were refused.

    What a trading state refuses does not count.
    """

    name: ClassVar = "rejections"
    limit: ClassVar = "max_pct"

    def decided(self, what: Decided) -> Iterator[Trip]:
        """Once there have been so many."""
        place, most = self.place(what.strategy, what.symbol), self.config.decisions
        found = [*self.counts.get(place, ()), what.refused][-most:]
        self.counts[place] = found
        share = 100 * sum(found) / most
        if len(found) == most and share >= self.config.max_pct:
            figures = {"refused": sum(found), "decisions": most, "refused_pct": share, "max_pct": self.config.max_pct}
            yield Trip(place, figures)
