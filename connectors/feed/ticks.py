"""The clock of a feed: once a second, how far the exchange's time has come."""

from __future__ import annotations

from schemas.capture import NANOS
from schemas.clock import Clock
from schemas.wire import wire

CLOCK = wire(Clock)
HOLD_NS = 300 * NANOS


class Ticks:
    """Says once a second of receive time how far event time has come: receive time plus the skew. It never falls.

    While a hole is open (``hold``) nothing is said, since what is in it is still to come; but for no longer than
    ``HOLD_NS``, then time goes on for the others. All goes by times of reception, so a recording gives the same.

    >>> ticks = Ticks()
    >>> ticks.upto(5 * NANOS, skew=200, hold=False), ticks.upto(7 * NANOS + 1, skew=200, hold=False)
    ([], [6200, 7200])
    """

    def __init__(self) -> None:
        self._second: int | None = None  # the last one that is over
        self._said = -1
        self._held: int | None = None  # since when

    @property
    def due(self) -> int | None:
        """When the next second is over (epoch ns)."""
        return None if self._second is None else (self._second + 1) * NANOS

    def upto(self, ns: int, skew: int | None, hold: bool) -> list[int]:
        """What is to be said of the seconds that are over at ``ns``, epoch ms each."""
        second = ns // NANOS
        over = range(second, second) if self._second is None else range(self._second + 1, second + 1)
        self._second = second
        said = []
        for one in over:
            at = one * NANOS
            # By the second and not by the call, which comes when it comes.
            self._held = (at if self._held is None else self._held) if hold else None
            waits = self._held is not None and at - self._held < HOLD_NS
            if skew is not None and not waits and one * 1_000 + skew > self._said:
                self._said = one * 1_000 + skew
                said.append(self._said)
        return said
