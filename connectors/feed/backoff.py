"""How long to wait before a connection is tried again."""

from __future__ import annotations

from collections.abc import Callable

FIRST_S = 0.5
LONGEST_S = 30.0
GOOD_AFTER_S = 30.0


class Backoff:
    """Doubles from half a second up to half a minute, of which a random part is waited ("full jitter").

    So those that lost an exchange at the same instant do not come back at the same instant. A connection that lasted
    for half a minute was good: after it the wait is short again. One that was refused, or closed at once, was not.

    >>> backoff = Backoff(lambda: 0.5)
    >>> [backoff.after(0.0) for _ in range(8)], backoff.after(31.0)
    ([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0], 0.25)
    """

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw  # from [0, 1)
        self._longest = FIRST_S

    def after(self, lasted_s: float) -> float:
        """Seconds to wait after a connection that lasted so long; 0 for one that was never made."""
        if lasted_s >= GOOD_AFTER_S:
            self._longest = FIRST_S
        wait = self._draw() * self._longest
        self._longest = min(self._longest * 2, LONGEST_S)
        return wait
