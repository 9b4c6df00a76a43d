"""Wilder's moving average."""

from __future__ import annotations

from flows.indicators.ema import EMA


class RMA(EMA):
    """Wilder's smoothing, ``y[i] = (y[i - 1] * (length - 1) + x[i]) / length``: an EMA whose factor is ``1 / length``.

    From J. Welles Wilder, New Concepts in Technical Trading Systems, 1978. Start, NaN and cost are those of
    :class:`~flows.indicators.ema.EMA`; it forgets as slowly as an EMA of length ``2 * length - 1``.

    >>> from flows.columns import Candles
    >>> RMA(2)(Candles.of([1.0, 3.0, 6.0])).tolist()
    [nan, 2.0, 4.0]
    """

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.factor = 1.0 / length
