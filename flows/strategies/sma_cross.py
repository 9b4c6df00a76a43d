"""Trend following at its plainest: two moving averages."""

from __future__ import annotations

from pydantic import Field, model_validator

from flows.columns import Candles
from flows.indicators.cross import Cross
from flows.indicators.lengths import fast_below_slow
from flows.indicators.sma import SMA
from flows.strategies.base import Parameters, Signals, Strategy


class SmaCross(Strategy):
    """Long when the fast average crosses above the slow one, short when it crosses below.

    >>> strategy = SmaCross(SmaCross.Params(fast=1, slow=2, stop_pct=10.0))
    >>> signals = strategy.on_candles(Candles.of([10.0, 9.0, 11.0]))
    >>> signals.long.tolist(), signals.stop_distance.tolist()
    ([False, False, True], [1.0, 0.9, 1.1])
    """

    version = "1.0.0"

    class Params(Parameters):
        """Parameters of sma_cross."""

        fast: int = Field(10, ge=1, description="length of the fast average, candles")
        slow: int = Field(20, ge=2, description="length of the slow average, candles")
        stop_pct: float = Field(2.0, gt=0, lt=100, description="distance of the stop from the close; 1.0 = 1 %")

        @model_validator(mode="after")
        def _ordered(self) -> SmaCross.Params:
            fast_below_slow(self.fast, self.slow)
            return self

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        self.stop = params.stop_pct / 100
        self.fast, self.slow, self.cross = SMA(params.fast), SMA(params.slow), Cross()

    def on_candles(self, candles: Candles) -> Signals:
        """A signal on each crossing."""
        fast, slow = self.fast(candles), self.slow(candles)
        crossed = self.cross(candles, fast, slow)
        return Signals(
            long=crossed > 0,
            short=crossed < 0,
            stop_distance=candles.close * self.stop,
            reason="fast average crossed the slow one",
            values={"fast": fast, "slow": slow},
        )

    @property
    def warmup(self) -> int:
        """Rows of a symbol before the first that can hold a signal: both averages on two rows."""
        return self.slow.warmup + 1
