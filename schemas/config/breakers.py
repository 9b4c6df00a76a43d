"""``breakers``: what stops trading by itself, how far, and until when."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.breaker import Action, Scope
from schemas.config.section import Duration, Section
from schemas.config.shape import Form
from schemas.timeframe import to_millis


def _is_reset(text: str) -> str:
    if text not in ("command", "day"):
        to_millis(text)
    return text


Reset = Annotated[str, AfterValidator(_is_reset), Form("command, day, or a count and one of s, m, h, d, w")]
ACTION = (
    "block: no entries; reduce: no entries, and close share_pct of each position in its scope; halt: nothing but exits "
    "that protect; close: halt, and close all positions in its scope"
)
RESET = "by command only, when the UTC day ends, or after so much event time"
SCOPE = "count for all, for each strategy, or for each symbol; and hold up just that"


class BreakerConfig(Section):
    """What a breaker does, and until when."""

    action: Action = Field("block", description=ACTION)
    share_pct: float = Field(50.0, gt=0, lt=100, description="for reduce: of each position, what is closed")
    reset: Reset = Field("command", description=RESET)


class ScopedConfig(BreakerConfig):
    """A breaker that may count by strategy or by symbol."""

    scope: Scope = Field("portfolio", description=SCOPE)


class DrawdownConfig(BreakerConfig):
    """Equity below its peak."""

    max_pct: float | None = Field(
        None, gt=0, lt=100, description="fall of equity, marked at every instant, from its peak, of the peak"
    )


class DailyLossConfig(BreakerConfig):
    """Equity below that of the day's beginning."""

    max_pct: float | None = Field(
        None, gt=0, lt=100, description="loss since the UTC day began, or since a reset in it, of equity then"
    )
    reset: Reset = Field("day", description=RESET)


class ConsecutiveLossesConfig(ScopedConfig):
    """Losses in a row."""

    most: int | None = Field(None, ge=1, description="positions closed at a loss one after the other")


class LossesConfig(ScopedConfig):
    """Losses in a while."""

    most: int | None = Field(None, ge=1, description="positions closed at a loss in the window")
    window: Duration = Field("1h", description="event time over which it counts")


class VolatilityConfig(BreakerConfig):
    """A return out of all proportion."""

    times: float | None = Field(
        None, gt=0, description="a candle's log return over the symbol's volatility (risk.vol_span) before it"
    )
    reset: Reset = Field("30m", description=RESET)


class SlippageConfig(ScopedConfig):
    """Fills worse than expected."""

    max_pct: float | None = Field(None, gt=0, description="mean of the last fills, of the price their orders expected")
    fills: int = Field(5, ge=1, description="fills of which the mean is taken")


class RejectionsConfig(ScopedConfig):
    """Too many refusals by gates."""

    max_pct: float | None = Field(
        None, gt=0, le=100, description="refused wishes among the last ones, duplicates left out"
    )
    decisions: int = Field(20, ge=1, description="wishes among which they are counted")


class StaleDataConfig(BreakerConfig):
    """A symbol without candles, or in a live run a feed."""

    after: Duration | None = Field(None, description="event time from one candle of a symbol to its next")
    reset: Reset = Field("10m", description=RESET)


class OrderRateConfig(ScopedConfig):
    """Too many entries in a while."""

    most: int | None = Field(None, ge=1, description="entries ordered in the window; one more trips it")
    window: Duration = Field("1m", description="event time over which it counts")


class DivergenceConfig(BreakerConfig):
    """Something came out otherwise than before."""

    alarms: int | None = Field(
        None, ge=1, description="alarms that trip it, told by the sink (OUTPUT_DIVERGED) or by the command `alarm`"
    )


class BreakersConfig(Section):
    """One whose limit is null is not there."""

    drawdown: DrawdownConfig = Field(DrawdownConfig(), description="equity fell from its peak")
    daily_loss: DailyLossConfig = Field(DailyLossConfig(), description="equity fell since the UTC day began")
    consecutive_losses: ConsecutiveLossesConfig = Field(
        ConsecutiveLossesConfig(), description="one loss after the other"
    )
    losses: LossesConfig = Field(LossesConfig(), description="many losses in a short time")
    volatility: VolatilityConfig = Field(VolatilityConfig(), description="a symbol jumps")
    slippage: SlippageConfig = Field(SlippageConfig(), description="fills are worse than expected")
    rejections: RejectionsConfig = Field(RejectionsConfig(), description="gates refuse nearly everything")
    stale_data: StaleDataConfig = Field(StaleDataConfig(), description="candles did not come")
    order_rate: OrderRateConfig = Field(OrderRateConfig(), description="many entries in a short time")
    divergence: DivergenceConfig = Field(DivergenceConfig(), description="outputs came out otherwise than before")
