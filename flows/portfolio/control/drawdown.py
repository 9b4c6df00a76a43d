"""Breaker: equity has fallen too far from its peak."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.portfolio.control.base import ALL, OFF, Breaker, Figures, Place, Trip


class Drawdown(Breaker):
    """Equity, positions marked, is ``max_pct`` or more below its peak at the end of some instant.

    The peak is that since the beginning or, after a reset, since then.
    """

    name: ClassVar = "drawdown"
    limit: ClassVar = "max_pct"

    def arm(self, tally: Any, day_equity: float) -> None:  # noqa: ARG002
        """The share of the peak that has to be kept."""
        tally["keep"] = 1 - self.config.max_pct / 100

    def disarm(self, tally: Any) -> None:
        """No level."""
        tally["keep"] = OFF

    def figures(self, place: Place, tally: Any) -> Figures:  # noqa: ARG002
        """Equity, its peak, and how far it lies below."""
        equity, high = tally["equity"].item(), tally["high"].item()
        return {"equity": equity, "peak": high, "fall_pct": 100 * (high - equity) / high}

    def begin(self, place: Place, tally: Any) -> None:  # noqa: ARG002
        """A new peak: that of now."""
        tally["high"] = tally["equity"]

    def look(self, tally: Any) -> Trip | None:
        """From the limit on."""
        if tally["equity"].item() <= tally["high"].item() * tally["keep"].item():
            return Trip(ALL, self.figures(ALL, tally))
        return None
