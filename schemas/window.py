"""Window: a stretch of event time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Window:
    """What happened after ``since`` and not after ``until``, both epoch ms UTC; without them, all of it.

    A candle happens at its close. So from one midnight until the next there are just the candles of that day.

    >>> Window(60_000, 180_000).of(np.array([60_000, 120_000, 180_000, 240_000])).tolist()
    [False, True, True, False]
    >>> 60_000 in Window(until=60_000)
    True
    """

    since: int = -(2**63)
    until: int = 2**63 - 1

    @property
    def bounded(self) -> bool:
        """Whether anything can lie outside."""
        return self != Window()

    def __contains__(self, ts: int) -> bool:
        return self.since < ts <= self.until

    def of(self, ts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which instants lie inside."""
        return (ts > self.since) & (ts <= self.until)
