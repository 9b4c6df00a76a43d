"""What an account remembers of its own past, for gates, sizing and breakers."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Any

from flows.portfolio.book import Key


class Memory:
    """Exits by symbol and strategy, the entries of late, equity at the beginning of the day, and closed trades.

    ``window`` (ms) is how long an entry is remembered, ``kept`` how many closed trades of a strategy are.
    """

    def __init__(self, equity: float, window: int, kept: int = 0) -> None:
        self.window, self.kept = window, kept
        self.day_equity = equity
        self.exits: dict[Key, int] = {}  # close of the candle in which a position was last closed, epoch ms
        self.entries: list[int] = []  # instants at which entries were ordered, rising
        self.coming: dict[str, float] = {}  # by id of an entry or addition that waits: its loss at its stop
        self.risked: dict[str, float] = {}  # by id of a position that is open: that of all that was filled of it
        self.trades: dict[str, list[float]] = {}  # by strategy: profits over what was at risk, oldest first

    def entered(self, ts: int, order_id: str, risk: float) -> None:
        """An entry, or an addition, was ordered that would lose ``risk`` at its stop."""
        del self.entries[: bisect_right(self.entries, ts - self.window)]
        insort(self.entries, ts)  # a click may come before the instant that is decided next
        if self.kept:
            self.coming[order_id] = risk

    def filled(self, order_id: str, position_id: str) -> None:
        """An order was filled: what an entry or an addition would lose counts for its position from now on."""
        if order_id in self.coming:
            self.risked[position_id] = self.risked.get(position_id, 0.0) + self.coming.pop(order_id)

    def withdrawn(self, order_id: str) -> None:
        """An entry or an addition was withdrawn, or has expired: nothing of it was ever at risk."""
        self.coming.pop(order_id, None)

    def entries_since(self, ts: int) -> int:
        """Entries that were ordered after an instant, which lies at most ``window`` back.

        >>> memory = Memory(10_000.0, 60_000)
        >>> for ts in (1_000, 30_000, 61_000): memory.entered(ts, "", 0.0)
        >>> memory.entries_since(1_000), memory.entries_since(30_000)
        (2, 1)
        """
        return len(self.entries) - bisect_right(self.entries, ts)

    def exited(self, key: Key, ts: int, position_id: str, profit: float) -> None:
        """A position was closed, all of it, and came to that profit in all.

        >>> memory = Memory(10_000.0, 60_000, kept=2)
        >>> for n, profit in enumerate((-50.0, 100.0, 25.0)):
        ...     memory.entered(n, f"o{n}", 50.0)
        ...     memory.filled(f"o{n}", f"p{n}")
        ...     memory.exited(("BTC/USDT", "a"), n, f"p{n}", profit)
        >>> memory.trades
        {'a': [2.0, 0.5]}
        """
        self.exits[key] = ts
        if self.kept:
            trades = self.trades.setdefault(key[1], [])
            trades.append(profit / self.risked.pop(position_id))
            del trades[: -self.kept]

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "day_equity": self.day_equity,
            "exits": dict(self.exits),
            "entries": list(self.entries),
            "coming": dict(self.coming),
            "risked": dict(self.risked),
            "trades": {strategy: list(trades) for strategy, trades in self.trades.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.day_equity, self.exits, self.entries = state["day_equity"], dict(state["exits"]), list(state["entries"])
        self.coming, self.risked = dict(state["coming"]), dict(state["risked"])
        self.trades = {strategy: list(trades) for strategy, trades in state["trades"].items()}
