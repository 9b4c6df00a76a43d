"""The clock of the machine, as a feed needs it: no two times the same, and none before another."""

from __future__ import annotations

import asyncio
import time

from schemas.capture import NANOS


class Wall:
    """Wall-clock time in epoch ns. A clock that is set back stands still until it is where it was.

    ``speed``: so many seconds pass in one; ``start`` is then the time at the beginning.
    """

    def __init__(self, speed: float = 1.0, start: int | None = None) -> None:
        self._speed, self._start = speed, start
        self._began = time.monotonic_ns()
        self._last = 0

    def now(self) -> int:
        """The time, later than any before."""
        passed = time.monotonic_ns() - self._began
        now = time.time_ns() if self._start is None else self._start + int(passed * self._speed)
        self._last = max(now, self._last + 1)
        return self._last

    async def sleep(self, seconds: float) -> None:
        """Wait so long by this clock."""
        await asyncio.sleep(seconds / self._speed)

    async def until(self, ns: int) -> None:
        """Wait until a time has come."""
        await self.sleep(max(0, ns - self.now()) / NANOS)
