"""Trailing stops: levels that follow the price in the compiled walk, at the close of each candle."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.kernel import kernel
from flows.portfolio.pending import Prices
from schemas.config.exits import ExitsConfig

KINDS = ("percent", "atr", "chandelier")
BEGUN = len(KINDS)
"""A chandelier in the candle of its entry, of which ``best`` has all that counts already."""

TRAIL = np.dtype(
    [
        ("next", "i8"),  # number of the symbol's next trail, 0 when there is none
        ("side", "f8"),
        ("level", "f8"),  # the stop, infinitely far away until the first candle has closed
        ("best", "f8"),  # highest high since the entry (of a short, lowest low)
        ("kind", "i8"),  # place in KINDS, or BEGUN
        ("at", "f8"),
        ("num", "f8"),  # the tick is num / den, both whole numbers: so levels are the floats nearest to the decimals
        ("den", "f8"),
    ]
)
"""One position. Numbers count from 1."""


@kernel
def trail(trails: Any, lane: Any, high: float, low: float, close: float) -> None:
    """The candle has closed: move the stops of the lane's positions, but only for the better."""
    number = lane.trail
    while number > 0:
        one = trails[number - 1]
        side = one.side
        if one.kind == BEGUN:
            one.kind = 2
        else:
            one.best = max(one.best, high) if side > 0 else min(one.best, low)
        if one.kind == 0:
            level = close * (1.0 - side * one.at / 100.0)
        else:
            level = (close if one.kind == 1 else one.best) - side * one.at * lane.atr
        steps = level * one.den / one.num
        near = np.round(steps)
        if abs(steps - near) > 1e-6:  # a millionth of a tick is noise of the float
            near = np.ceil(steps) if side > 0 else np.floor(steps)
        level = near * one.num / one.den
        if (level - one.level) * side > 0:  # not so when there is no range yet: NaN
            one.level = level
            if side > 0:
                lane.down = max(lane.down, level)
            else:
                lane.up = min(lane.up, level)
        number = one.next


class Trails:
    """The trailing stops of an account; rows of positions that are closed are used again."""

    def __init__(self) -> None:
        self.rows: NDArray[Any] = np.zeros(1, TRAIL)
        self.numbers: dict[str, dict[str, int]] = {}  # by symbol and strategy
        self.used = 0
        self.free: list[int] = []

    def follow(self, symbol: str, strategy: str, side: int, tick: Decimal, exits: ExitsConfig) -> None:
        """A position was opened."""
        number = self.free.pop() if self.free else self.used + 1
        self.used = max(self.used, number)
        if number > len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros(len(self.rows), TRAIL)])
        num, den = tick.as_integer_ratio()
        kind = KINDS.index(exits.trail)
        self.rows[number - 1] = (0, side, -side * np.inf, -side * np.inf, kind, exits.trail_at, num, den)
        self.numbers.setdefault(symbol, {})[strategy] = number
        self._link(symbol)

    def begin(self, symbol: str, strategy: str, prices: Prices) -> None:
        """A position was opened inside a candle, and these prices of it are its own: the best one is among them."""
        number = self.numbers.get(symbol, {}).get(strategy)
        if number and self.rows["kind"][number - 1] == KINDS.index("chandelier"):
            _, high, low, _ = prices
            self.rows["best"][number - 1] = high if self.rows["side"][number - 1] > 0 else low
            self.rows["kind"][number - 1] = BEGUN

    def release(self, symbol: str, strategy: str) -> None:
        """A position was closed."""
        if strategy in self.numbers.get(symbol, ()):
            self.free.append(self.numbers[symbol].pop(strategy))
            self._link(symbol)

    def _link(self, symbol: str) -> None:
        following = 0
        for number in self.numbers[symbol].values():
            self.rows["next"][number - 1] = following
            following = number

    def first(self, symbol: str) -> int:
        """Number of the trail that the others of a symbol hang on, 0 when it has none."""
        own = self.numbers.get(symbol)
        return next(reversed(own.values()), 0) if own else 0

    def level(self, number: int) -> float:
        """The stop of a trail, as it is now."""
        return float(self.rows["level"][number - 1])

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        numbers = {symbol: dict(own) for symbol, own in self.numbers.items()}
        return {"rows": self.rows.copy(), "numbers": numbers, "free": list(self.free), "used": self.used}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.rows, self.free, self.used = state["rows"].copy(), list(state["free"]), state["used"]
        self.numbers = {symbol: dict(own) for symbol, own in state["numbers"].items()}
