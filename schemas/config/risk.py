"""``risk``: how much to trade, and what to refuse."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.config.section import Duration, NotNegative, Positive, Section
from schemas.config.shape import Form
from schemas.session import parse


def _is_session(text: str) -> str:
    parse(text)
    return text


Hours = Annotated[str, AfterValidator(_is_session), Form("days and hours in UTC, as in mon-fri 08:00-16:30")]


class LotTier(Section):
    """One step of the table of lots."""

    equity: NotNegative = Field(description="from this equity on, account currency")
    quantity: Positive = Field(description="trade this much, base currency")


def _rise(tiers: tuple[LotTier, ...]) -> tuple[LotTier, ...]:
    for one, other in pairwise(tiers):
        if one.equity >= other.equity:
            raise ValueError(f"the tier of {other.equity} stands behind that of {one.equity}: equities must rise")
    return tiers


Share = Annotated[float, Field(gt=0, le=1)]


class RiskConfig(Section):
    """Sizing and gates. A gate whose limit is null is not there.

    What may be lost is at most all of equity: 100 %. What may be held has no such bound here, for the gate ``cash``
    holds it to ``portfolio.leverage`` times equity whatever else is set.
    """

    sizing: Literal["risk", "fixed_quantity", "fixed_notional", "volatility_target", "kelly", "lot_tiers"] = Field(
        "risk",
        description="rule of the quantity (sizing.md); risk: lose per_trade_pct of equity if the stop is hit",
    )
    per_trade_pct: float = Field(0.5, gt=0, le=100, description="of equity at risk in one trade; 1.0 = 1 %")
    quantity: Positive = Field(Decimal(1), description="for fixed_quantity, base currency")
    notional: Positive = Field(Decimal(1000), description="for fixed_notional, account currency")
    target_vol_pct: float = Field(
        10.0, gt=0, description="for volatility_target: of equity, what a position moves by in a year"
    )
    kelly_share: float = Field(0.25, gt=0, le=1, description="for kelly: of Kelly's fraction; 1.0 = all of it")
    kelly_cap_pct: float = Field(2.0, gt=0, le=100, description="for kelly: of equity at risk in one trade, at most")
    kelly_trades: int = Field(100, ge=2, description="for kelly: closed trades of the strategy, the latest ones")
    kelly_min_trades: int = Field(30, ge=1, description="for kelly: with fewer of them, kelly_fallback sizes")
    kelly_fallback: Literal["risk", "fixed_quantity", "fixed_notional"] = Field(
        "risk", description="for kelly: the rule while there are too few trades"
    )
    lot_tiers: Annotated[tuple[LotTier, ...], AfterValidator(_rise)] = Field(
        (), description="for lot_tiers: quantities by equity, rising; below the first one nothing is traded"
    )
    strategy_scale: dict[str, Share] = Field({}, description="by strategy: its quantities times this; 1.0 = as sized")
    scale_by_confidence: bool = Field(False, description="quantities times the signal's confidence, 0 to 1")
    scale_by_consensus: bool = Field(
        False, description="quantities times 0.2 (consensus 0 in the signal's values) to 1.0 (9)"
    )
    over_cap: Literal["shrink", "refuse"] = Field(
        "shrink", description="an order larger than a cap: shrink it to the cap, or refuse it"
    )
    sessions: tuple[Hours, ...] = Field(
        (),
        description="hours in which entries are allowed, UTC, as in `mon-fri 08:00-16:30`; `sun 22:00-02:00` ends on "
        "Monday; none: always",
    )
    max_spread_bps: float | None = Field(
        None, gt=0, description="ask less bid at the close of the signal, of the middle between them; 1.0 = 0.01 %"
    )
    max_spread_of_stop: float | None = Field(
        None, gt=0, description="ask less bid at the close of the signal, of the distance of the stop; 1.0 = all of it"
    )
    cooldown: Duration | None = Field(
        None, description="event time after an exit until its strategy may enter the symbol again"
    )
    min_confidence: float = Field(0.0, ge=0, le=1, description="of a signal, by its strategy; 0 = any")
    min_reward_to_risk: float = Field(
        1.0, ge=0, description="distance to the target over distance to the stop; signals without a target pass"
    )
    max_leverage: float | None = Field(
        None, gt=0, description="value of all positions, in equities; 2.0 = twice equity"
    )
    max_symbol_exposure_pct: float | None = Field(
        None, gt=0, description="value of all positions in a symbol, of equity; 100.0 = all of it"
    )
    groups: dict[str, tuple[str, ...]] = Field({}, description="symbols that move together, by a name of yours")
    max_group_exposure_pct: float = Field(50.0, gt=0, description="value of all positions in a group, of equity")
    max_gross_exposure_pct: float = Field(100.0, gt=0, description="value of all positions, of equity; 100.0 = all")
    max_net_exposure_pct: float | None = Field(
        None, gt=0, description="value of longs less that of shorts, of equity, either way"
    )
    max_position_pct: float = Field(25.0, gt=0, description="value of one position, of equity; 100.0 = all of it")
    max_risk_pct: float = Field(
        2.0, gt=0, le=100, description="of equity at risk in one position, whatever the sizing wants"
    )
    max_open_positions: int = Field(10, ge=1, description="positions open or on their way")
    max_orders: int | None = Field(None, ge=1, description="entries in order_window")
    order_window: Duration = Field("1m", description="event time over which max_orders counts")
    max_daily_loss_pct: float | None = Field(
        None, gt=0, le=100, description="of equity at the beginning of the UTC day: after such a loss no entry that day"
    )
    max_lifetime_loss_pct: float | None = Field(
        None, gt=0, le=100, description="of the starting cash: after such a loss no entry at all"
    )
    atr_period: int = Field(14, ge=1, description="candles of the average true range that risk rules use")
    vol_span: int = Field(
        100, ge=1, description="candles of the volatility that risk rules use: span of its exponential average"
    )
    max_var_pct: float | None = Field(
        None, gt=0, le=100, description="Value at Risk of all positions (sizing.md), of equity"
    )
    var_method: Literal["historical", "parametric"] = Field(
        "historical", description="losses as they were, or of a normal distribution with the variance that there was"
    )
    var_level: float = Field(0.99, gt=0.5, lt=1, description="how often the loss stays within it; 0.99 = 99 of 100")
    var_horizon: Duration = Field("1d", description="over which the loss is meant; by the root of time")
    var_sample: Duration = Field("1h", description="spacing of the returns that it is estimated from")
    var_window: int = Field(500, ge=2, description="how many of them, the latest ones")
    var_min_samples: int = Field(100, ge=1, description="with fewer of them nothing is entered")
