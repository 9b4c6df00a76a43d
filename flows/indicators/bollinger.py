"""Bollinger Bands."""

from __future__ import annotations

from flows.columns import Candles, Floats
from flows.indicators.bands import Bands
from flows.indicators.moments import Moments
from flows.module import Module


class Bollinger(Module):
    """A simple moving average, and bands ``width`` population standard deviations above and below it.

    From John Bollinger, Bollinger on Bollinger Bands, 2001. NaN for the first ``length - 1`` values. Precision and
    cost are those of :class:`~flows.indicators.moments.Moments`.

    >>> bands = Bollinger(2, 2.0)(Candles.of([1.0, 3.0, 3.0]))
    >>> bands.upper.tolist(), bands.lower.tolist()
    ([nan, 4.0, 3.0], [nan, 0.0, 3.0])
    """

    def __init__(self, length: int = 20, width: float = 2.0) -> None:
        self.width = width
        self.moments = Moments(length)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Bands:
        """The bands at each row of ``candles``, around their close or the column ``x``."""
        middle, deviation = self.moments(candles, x)
        reach = self.width * deviation
        return Bands(middle + reach, middle, middle - reach)

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.moments.warmup
