"""Breaker: something came out otherwise than before."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.portfolio.control.base import ALL, Breaker, Figures, Place, Trip


class Divergence(Breaker):
    """``alarms`` alarms were told since the last reset: by the command ``alarm``, from whoever compares."""

    name: ClassVar = "divergence"
    limit: ClassVar = "alarms"

    def figures(self, place: Place, tally: Any) -> Figures:  # noqa: ARG002
        """The alarms so far."""
        return {"alarms": self.counts.get(place, 0)}

    def alarmed(self, figures: Figures) -> Trip | None:
        """With the alarm that makes them so many."""
        self.counts[ALL] = self.counts.get(ALL, 0) + 1
        if self.counts[ALL] >= self.config.alarms:
            return Trip(ALL, {**figures, "alarms": self.counts[ALL], "most": self.config.alarms})
        return None
