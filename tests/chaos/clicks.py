"""A double click that comes through, whatever is killed and whatever the market does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Step = tuple[str, dict[str, Any]]
Say = Callable[[str, dict[str, Any]], str]
"""Gives a command. Returns its id."""

BREAKERS = ("consecutive_losses", "divergence", "drawdown", "losses", "order_rate")
"""Those of the configuration."""
TRADES = "sma_cross"
"""The strategy of the live account."""
WANTED = {"INTENT_PENDING", "INTENT_EXECUTED"}


class DoubleClick:
    """Clicks until a click that had been ordered was answered as pending, and as executed.

    No strategy trades meanwhile, so from the next candle on there are cash and a place for it. With each new intent all
    is lifted that holds trading up. What is refused is tried with a new intent, what has expired with the same.
    """

    def __init__(self, click: Callable[[], Step], say: Say) -> None:
        self._click, self._say = click, say
        self._codes = set[str]()
        self._now, self._last = self._press()

    def over(self, answer: Callable[[str], str | None]) -> bool:
        """Click again when the last click has been answered. True, once, when all that is wanted was answered."""
        code = answer(self._last)
        if code is None:
            return False
        self._codes.add(code)
        if self._codes >= WANTED:
            self._say("mode", {"strategy": TRADES, "mode": "live"})
            return True
        if code in ("DONE", "INTENT_PENDING"):
            self._last = self._say(*self._now)
        else:
            self._now, self._last = self._press()
        return False

    def _press(self) -> tuple[Step, str]:
        """Twice at once, behind all that makes way for it: a partition keeps the order."""
        click = self._click()
        self._say("mode", {"strategy": TRADES, "mode": "shadow"})
        self._say("close", {"strategy": "manual"})
        for place in ({}, {"strategy": "manual"}, {"symbol": click[1]["symbol"]}):
            self._say("resume", place)
        for breaker in BREAKERS:
            self._say("reset", {"breaker": breaker})
        self._say(*click)
        return click, self._say(*click)
