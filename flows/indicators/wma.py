"""Weighted moving average."""

from __future__ import annotations

from flows.columns import Candles, Floats
from flows.indicators.slope import Line
from flows.module import Module


class WMA(Module):
    """Mean of the last ``length`` values with weights 1 (oldest) to ``length`` (newest).

    Weights that rise by one are an even part and a slope, so with the regression line of the same window
    ``WMA = mean + slope * (length - 1) / 6``. NaN for the first ``length - 1`` values. Precision and cost are those of
    :class:`~flows.indicators.slope.Line`.

    >>> WMA(2)(Candles.of([1.0, 4.0, 4.0])).tolist()
    [nan, 3.0, 4.0]
    """

    def __init__(self, length: int) -> None:
        self.line = Line(length)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The average at each row of ``candles``, of their close or of the column ``x``."""
        mean, slope = self.line(candles, x)
        return mean + slope * ((self.line.length - 1) / 6.0)

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.line.warmup
