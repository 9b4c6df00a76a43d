"""Donchian channel."""

from __future__ import annotations

from flows.columns import Candles
from flows.indicators.bands import Bands
from flows.indicators.extremes import Highest, Lowest
from flows.module import Module


class Donchian(Module):
    """The highest high and the lowest low of the last ``length`` candles, this one included, and their middle.

    After Richard Donchian's four-week rule (Dunn & Hargitt, Trader's Notebook, 1970). For a breakout compare the close
    with the channel of the row before, since no close lies outside a channel that holds its own candle. NaN for the
    first ``length - 1`` candles. O(1) work a row (amortised), O(2 * length) state a symbol.

    >>> channel = Donchian(2)(Candles.of([1.0, 3.0, 2.0, 1.0]))
    >>> channel.upper.tolist(), channel.lower.tolist()
    ([nan, 3.0, 3.0, 2.0], [nan, 1.0, 2.0, 1.0])
    """

    def __init__(self, length: int = 20) -> None:
        self.highest, self.lowest = Highest(length), Lowest(length)

    def __call__(self, candles: Candles) -> Bands:
        """The channel at each row of ``candles``."""
        upper, lower = self.highest(candles), self.lowest(candles)
        return Bands(upper, (upper + lower) / 2.0, lower)

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.highest.warmup
