"""What an account remembers of its own past, for gates, sizing and breakers."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from flows.portfolio.book import Key


class Memory:
    """Exits by symbol and strategy, the entries of late, and equity at the beginning of the day.

    ``window`` (ms) is how long an entry is remembered.
    """

    def __init__(self, equity: float, window: int) -> None:
        self.window = window
        self.day_equity = equity
        self.exits: dict[Key, int] = {}  # close of the candle in which a position was last closed, epoch ms
        self.entries: list[int] = []  # instants at which entries were ordered, rising

    def entered(self, ts: int) -> None:
        """An entry was ordered."""
        del self.entries[: bisect_right(self.entries, ts - self.window)]
        self.entries.append(ts)

    def entries_since(self, ts: int) -> int:
        """Entries that were ordered after an instant, which lies at most ``window`` back.

        >>> memory = Memory(10_000.0, 60_000)
        >>> for ts in (1_000, 30_000, 61_000): memory.entered(ts)
        >>> memory.entries_since(1_000), memory.entries_since(30_000)
        (2, 1)
        """
        return len(self.entries) - bisect_right(self.entries, ts)

    def exited(self, key: Key, ts: int) -> None:
        """A position was closed."""
        self.exits[key] = ts

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {"day_equity": self.day_equity, "exits": dict(self.exits), "entries": list(self.entries)}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.day_equity, self.exits, self.entries = state["day_equity"], dict(state["exits"]), list(state["entries"])
