"""How far an exchange's clock is ahead of ours, from the times in its frames."""

from __future__ import annotations

from collections import deque

from connectors.feed.ahead import AHEAD_MS

WINDOW_S = 60
ABSURD_MS = 86_400_000


class Skew:
    """An estimate in ms: what to add to our clock to have the exchange's, less the shortest way that a frame took.

    A frame that was long on its way, or tells of something old, only makes the difference smaller; so the largest of
    the last minute is the best. To be deaf to a single wrong time it is the second largest of those of each second.

    >>> skew = Skew()
    >>> for second, exchange_ms in enumerate((1_180, 2_190, 3_100, 4_185)):
    ...     skew.see(second * 1_000 + 1_000, exchange_ms)
    >>> skew.ms
    185
    """

    def __init__(self) -> None:
        self._best: deque[tuple[int, int]] = deque()  # second and its largest difference
        self.ms: int | None = None  # none: nothing is known yet

    def see(self, received_ms: int, exchange_ms: int) -> None:
        """A frame came, whose time by the exchange is known. ``received_ms`` never falls."""
        ahead, second = exchange_ms - received_ms, received_ms // 1_000
        if not -ABSURD_MS <= ahead <= AHEAD_MS:
            return
        if not self._best or self._best[-1][0] != second:
            self._best.append((second, ahead))
            while self._best[0][0] <= second - WINDOW_S:
                self._best.popleft()
        elif self._best[-1][1] < ahead:
            self._best[-1] = (second, ahead)
        else:
            return
        largest = sorted((value for _, value in self._best), reverse=True)
        self.ms = largest[min(1, len(largest) - 1)]
