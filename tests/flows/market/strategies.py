"""Strategies for the tests of the market stage: some behave, some do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flows.columns import Candles
from flows.strategies.base import Parameters, Signals, Strategy

Wish = Callable[[Candles], Signals]


class Says(Strategy):
    """Wishes as a function of the batch alone."""

    version = "1.2.3"

    def __init__(self, wish: Wish) -> None:
        super().__init__(Parameters())
        self.wish = wish

    def on_candles(self, candles: Candles) -> Signals:
        return self.wish(candles)


class EveryThird(Strategy):
    """Long on every third row of a symbol; at one row of one symbol it does what ``trap`` does."""

    def __init__(self, traps: Sequence[tuple[int, int]] = (), trap: Callable[[Any], Any] | None = None) -> None:
        super().__init__(Parameters())
        self.seen = self.state(dtype=np.int64)
        self.traps, self.trap = set(traps), trap

    def on_candles(self, candles: Candles) -> Any:
        long = np.zeros(len(candles), np.bool_)
        for i, slot in enumerate(candles.slot.tolist()):
            self.seen[slot] += 1
            long[i] = self.seen[slot] % 3 == 0
        signals = Signals(long=long, stop_distance=candles.close * 0.1)
        rows = zip(candles.slot.tolist(), candles.ts.tolist(), strict=True)
        if self.trap is not None and not self.traps.isdisjoint(rows):
            return self.trap(signals)
        return signals


class Moody(Strategy):
    """Long where the close is above the one before; raises at a close of 12 that follows one of 9."""

    def __init__(self) -> None:
        super().__init__(Parameters())
        self.last = self.state(fill=np.nan)

    def on_candles(self, candles: Candles) -> Signals:
        long = np.zeros(len(candles), np.bool_)
        for i, (slot, close) in enumerate(zip(candles.slot.tolist(), candles.close.tolist(), strict=True)):
            if close == 12.0 and self.last[slot] == 9.0:
                raise ArithmeticError("too good to be true")
            long[i] = close > self.last[slot]
            self.last[slot] = close
        return Signals(long=long, stop_distance=candles.close * 0.01)


def raises(_: Any) -> Any:
    raise ZeroDivisionError("trapped")


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "raises": (raises, "ZeroDivisionError: trapped"),
    "says nothing at all": (lambda _: None, "AttributeError: 'NoneType' object has no attribute 'long'"),
    "a mask too short": (
        lambda s: replace(s, long=s.long[:-1]),
        "ValueError: long must be a column of 1 booleans, not bool(0,)",
    ),
    "a mask of two dimensions": (
        lambda s: replace(s, short=np.zeros((len(s.long), 2), np.bool_)),
        "ValueError: short must be a column of 1 booleans, not bool(1, 2)",
    ),
    "a mask of numbers": (
        lambda s: replace(s, flat=s.long.astype(np.int64)),
        "ValueError: flat must be a column of 1 booleans, not int64(1,)",
    ),
    "two sides at once": (
        lambda s: replace(s, long=s.long | True, short=s.long | True),
        "ValueError: short holds in a row that already has another side: long, short and flat exclude",
    ),
    "one stop for all": (
        lambda s: replace(s, long=s.long | True, stop_distance=2.0),
        "ValueError: stop_distance must be a column of 1 rows, not ()",
    ),
    "a target too long": (
        lambda s: replace(s, long=s.long | True, target_distance=np.ones(len(s.long) + 1)),
        "ValueError: target_distance must be a column of 1 rows, not (2,)",
    ),
    "a value too long": (
        lambda s: replace(s, long=s.long | True, values={"atr": np.ones(len(s.long) + 1)}),
        "ValueError: atr must be a column of 1 rows, not (2,)",
    ),
    "a confidence above one": (
        lambda s: replace(s, long=s.long | True, confidence=np.full(len(s.long), 1.5)),
        "ValueError: confidence must lie between 0 and 1, not 1.5",
    ),
    "a confidence that is not a number": (
        lambda s: replace(s, long=s.long | True, confidence=np.full(len(s.long), np.nan)),
        "ValueError: confidence must lie between 0 and 1, not nan",
    ),
    "a share of nothing": (
        lambda s: replace(s, flat=~s.long, share_pct=np.zeros(len(s.long))),
        "ValueError: share_pct must lie above 0 and be at most 100, not 0.0",
    ),
}
