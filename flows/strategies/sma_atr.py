"""Trend following where there is movement: two moving averages, filtered and sized by the average true range."""

from __future__ import annotations

from pydantic import Field, model_validator

from flows.columns import Candles
from flows.indicators.atr import ATR
from flows.indicators.cross import Cross
from flows.indicators.lengths import fast_below_slow
from flows.indicators.sma import SMA
from flows.strategies.base import Parameters, Signals, Strategy


class SmaAtr(Strategy):
    """Long when the fast average crosses above the slow one, short when it crosses below, if the market moves enough.

    A crossing while the average true range is below its floor, or not known yet, is passed over, not put off. Stop and
    target lie a number of average true ranges from the close, so they breathe with the market.

    >>> strategy = SmaAtr(SmaAtr.Params(fast=1, slow=2, atr_length=2, min_atr_pct=1.0, stop_atr=2))
    >>> signals = strategy.on_candles(Candles.of([10.0, 9.0, 8.0, 9.0, 9.0]))
    >>> signals.long.tolist(), signals.stop_distance.tolist()[3:]
    ([False, False, False, True, False], [2.0, 1.0])
    """

    version = "1.1.0"

    class Params(Parameters):
        """Parameters of sma_atr."""

        fast: int = Field(50, ge=1, description="length of the fast average, candles")
        slow: int = Field(200, ge=2, description="length of the slow average, candles")
        atr_length: int = Field(14, ge=1, description="length of the average true range, candles")
        stop_atr: float = Field(3.0, gt=0, description="distance of the stop from the close, average true ranges")
        target_atr: float | None = Field(
            6.0, gt=0, description="distance of the target from the close (null: no target), average true ranges"
        )
        min_atr_pct: float = Field(
            0.05, ge=0, description="no signal while the average true range is below this much of the close; 1.0 = 1 %"
        )

        @model_validator(mode="after")
        def _ordered(self) -> SmaAtr.Params:
            fast_below_slow(self.fast, self.slow)
            return self

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        self.stop, self.target, self.floor = params.stop_atr, params.target_atr, params.min_atr_pct / 100
        self.fast, self.slow, self.cross = SMA(params.fast), SMA(params.slow), Cross()
        self.atr = ATR(params.atr_length)

    def on_candles(self, candles: Candles) -> Signals:
        """A signal on each crossing in a market that moves."""
        fast, slow, atr = self.fast(candles), self.slow(candles), self.atr(candles)
        crossed = self.cross(candles, fast, slow)
        moving = (atr >= self.floor * candles.close) & (atr > 0.0)  # a stop needs a distance, even without a floor
        return Signals(
            long=moving & (crossed > 0),
            short=moving & (crossed < 0),
            stop_distance=self.stop * atr,
            target_distance=None if self.target is None else self.target * atr,
            reason="fast average crossed the slow one while the market moves",
            values={"fast": fast, "slow": slow, "atr": atr},
        )

    @property
    def warmup(self) -> int:
        """Rows of a symbol before the first that can hold a signal: both averages on two rows, and the true range."""
        return max(self.slow.warmup + 1, self.atr.warmup)
