"""The clock of the machine, as a feed needs it: no two times the same, and none before another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from schemas.capture import NANOS


class Wall:
    """Time in epoch ns. A clock that is set back stands still until it is where it was.

    >>> wall = Wall(iter([5, 7, 6, 9]).__next__)
    >>> [wall.now() for _ in range(4)]
    [5, 7, 8, 9]
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock, self._last = clock, 0

    def now(self) -> int:
        """The time, later than any before."""
        self._last = max(self._clock(), self._last + 1)
        return self._last

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        await asyncio.sleep(seconds)

    async def until(self, ns: int) -> None:
        """Wait until a time has come."""
        await self.sleep(max(0, ns - self.now()) / NANOS)
