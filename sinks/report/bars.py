"""Candles for a picture: made into larger ones until there are few enough to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from schemas.timeframe import UNITS
from sinks.columns import Floats, Ints

_MINUTE, _HOUR, _DAY = UNITS["m"], UNITS["h"], UNITS["d"]
_STEPS = (
    *(n * _MINUTE for n in (1, 2, 3, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 4, 6, 8, 12)),
    *(n * _DAY for n in (1, 2, 3, 7, 14, 28)),
)


class OHLC(Protocol):
    """Candles of one symbol as columns: ``ts`` is the close in epoch ms, rising."""

    @property
    def ts(self) -> Ints:
        """Close times, epoch ms."""

    @property
    def open(self) -> Floats:
        """Opens, quote currency."""

    @property
    def high(self) -> Floats:
        """Highs, quote currency."""

    @property
    def low(self) -> Floats:
        """Lows, quote currency."""

    @property
    def close(self) -> Floats:
        """Closes, quote currency."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of ``step`` ms; bar ``index[i]`` lasts from ``index[i] * step`` to ``(index[i] + 1) * step``."""

    step: int
    index: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats


def shrink(candles: OHLC, most: int) -> Bars:
    """The candles as at most ``most`` bars of the smallest round timeframe that allows it; no extreme is lost.

    >>> from types import SimpleNamespace
    >>> price = np.array([3.0, 5.0, 1.0, 4.0])
    >>> hour = SimpleNamespace(ts=np.arange(1, 5) * 60_000, open=price, high=price, low=price, close=price)
    >>> bars = shrink(hour, 2)
    >>> bars.step, bars.open.tolist(), bars.high.tolist(), bars.low.tolist(), bars.close.tolist()
    (120000, [3.0, 1.0], [5.0, 4.0], [3.0, 1.0], [5.0, 4.0])
    """
    ts = candles.ts
    own = int(np.diff(ts).min()) if len(ts) > 1 else _MINUTE
    step = own
    for step in sorted({own, *(s for s in _STEPS if s > own)}):
        index = (ts - 1) // step  # a close on the edge ends the bar before it
        starts = np.flatnonzero(np.append(True, np.diff(index) > 0)) if len(ts) else np.empty(0, np.int64)
        if len(starts) <= most:
            break
    while len(starts) > most:
        step *= 2
        index = (ts - 1) // step
        starts = np.flatnonzero(np.append(True, np.diff(index) > 0))
    if not len(ts):
        return Bars(step, starts, *(np.empty(0) for _ in range(4)))
    ends = np.append(starts[1:], len(ts)) - 1
    return Bars(
        step,
        index[starts],
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[ends],
    )
