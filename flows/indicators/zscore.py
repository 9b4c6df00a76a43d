"""Z-score: how many standard deviations the value lies from its mean."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats
from flows.indicators.moments import Moments
from flows.module import Module


class ZScore(Module):
    """``(x - mean) / deviation`` over the last ``length`` values of each symbol, with the population deviation.

    0 where the window is flat: the value then is the mean. NaN for the first ``length - 1`` values. Precision and cost
    are those of :class:`~flows.indicators.moments.Moments`.

    >>> ZScore(2)(Candles.of([1.0, 3.0, 3.0])).tolist()
    [nan, 1.0, 0.0]
    """

    def __init__(self, length: int = 20) -> None:
        self.moments = Moments(length)

    def __call__(self, candles: Candles, x: Floats | None = None) -> Floats:
        """The score at each row of ``candles``, of their close or of the column ``x``."""
        values = candles.close if x is None else x
        mean, deviation = self.moments(candles, values)
        flat = deviation == 0.0
        return np.where(flat, 0.0, (values - mean) / np.where(flat, 1.0, deviation))

    @property
    def warmup(self) -> int:
        """``length - 1``."""
        return self.moments.warmup
