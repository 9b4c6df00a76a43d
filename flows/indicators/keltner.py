"""Keltner channel."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles
from flows.indicators.atr import ATR
from flows.indicators.bands import Bands
from flows.indicators.ema import EMA
from flows.module import Module


class Keltner(Module):
    """An exponential average of the close, and bands ``width`` average true ranges above and below it.

    Chester W. Keltner's channel (How to Make Money in Commodities, 1960) in the form that Linda Bradford Raschke gave
    it in the 1980s, with EMA and ATR in place of simple averages. NaN until both have a value. O(1) work and state.

    >>> bands = Keltner(2, 2, 1.0)(Candles.of([1.0, 3.0, 3.0]))
    >>> bands.upper.round(4).tolist(), bands.lower.round(4).tolist()
    ([nan, nan, 3.6667], [nan, nan, 1.6667])
    """

    def __init__(self, length: int = 20, atr_length: int = 10, width: float = 2.0) -> None:
        self.width = width
        self.average, self.range = EMA(length), ATR(atr_length)

    def __call__(self, candles: Candles) -> Bands:
        """The bands at each row of ``candles``."""
        reach = self.width * self.range(candles)
        middle = np.where(np.isnan(reach), np.nan, self.average(candles))
        return Bands(middle + reach, middle, middle - reach)

    @property
    def warmup(self) -> int:
        """The longer of ``length - 1`` and ``atr_length``."""
        return max(self.average.warmup, self.range.warmup)
