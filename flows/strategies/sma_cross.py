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
    >>> signals.long.tolist(), signals.stop_distance.tolist(), signals.target_distance.tolist()
    ([False, False, True], [1.0, 0.9, 1.1], [2.0, 1.8, 2.2])
    """

    version = "2.0.0"

    class Params(Parameters):
        """Parameters of sma_cross."""

        fast: int = Field(10, ge=1, description="length of the fast average, candles")
        slow: int = Field(20, ge=2, description="length of the slow average, candles")
        stop_pct: float = Field(2.0, gt=0, lt=100, description="distance of the stop from the close; 1.0 = 1 %")
        reward_to_risk: float | None = Field(
            2.0, gt=0, description="distance of the target from the close (null: no target), distances of the stop"
        )

        @model_validator(mode="after")
        def _ordered(self) -> SmaCross.Params:
            fast_below_slow(self.fast, self.slow)
            away = self.stop_pct * (self.reward_to_risk or 0)
            if away >= 100:
                raise ValueError(
                    f"a target {self.reward_to_risk:g} times {self.stop_pct:g} % away is {away:g} % away: that of a "
                    "short would not lie above 0; lower reward_to_risk, or set it to null (exits.require_target)"
                )
            return self

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        self.stop, self.reward = params.stop_pct / 100, params.reward_to_risk
        self.fast, self.slow, self.cross = SMA(params.fast), SMA(params.slow), Cross()

    def on_candles(self, candles: Candles) -> Signals:
        """A signal on each crossing."""
        fast, slow = self.fast(candles), self.slow(candles)
        crossed = self.cross(candles, fast, slow)
        stop = candles.close * self.stop
        return Signals(
            long=crossed > 0,
            short=crossed < 0,
            stop_distance=stop,
            target_distance=None if self.reward is None else stop * self.reward,
            reason="fast average crossed the slow one",
            values={"fast": fast, "slow": slow},
        )

    @property
    def warmup(self) -> int:
        """Rows of a symbol before the first that can hold a signal: both averages on two rows."""
        return self.slow.warmup + 1
