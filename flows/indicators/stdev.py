"""Standard deviation over a sliding window."""

from __future__ import annotations

from flows.columns import Candles, Floats
from flows.indicators.moments import Moments
from flows.module import Module


class Stdev(Module):
    """Population standard deviation, ``sqrt(mean((x - mean(x))²))`` over the last ``length`` values of each symbol.

    NaN for the first ``length - 1`` values. Precision and cost are those of :class:`~flows.indicators.moments.Moments`.

    >>> Stdev(2)(Candles.of([1.0, 3.0, 3.0])).tolist()
    [nan, 1.0, 0.0]
    """

    def __init__(self, length: int) -> None:
        self.moments = Moments(length)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The deviation at each row of ``candles``, of their close or of the column ``x``."""
        return self.moments(candles, x).deviation

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.moments.warmup
