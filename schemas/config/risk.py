"""``risk``: how much to trade, and what to refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.config.section import Duration, Positive, Section
from schemas.config.shape import Form
from schemas.session import parse


def _is_session(text: str) -> str:
    parse(text)
    return text


Hours = Annotated[str, AfterValidator(_is_session), Form("days and hours in UTC, as in mon-fri 08:00-16:30")]


class RiskConfig(Section):
    """Sizing and gates. A gate whose limit is null is not there."""

    sizing: Literal["risk", "fixed_quantity", "fixed_notional"] = Field(
        "risk", description="risk: lose per_trade_pct of equity if the stop is hit; or a fixed quantity or notional"
    )
    per_trade_pct: float = Field(0.5, gt=0, le=100, description="of equity at risk in one trade; 1.0 = 1 %")
    quantity: Positive = Field(Decimal(1), description="for fixed_quantity, base currency")
    notional: Positive = Field(Decimal(1000), description="for fixed_notional, account currency")
    over_cap: Literal["shrink", "refuse"] = Field(
        "shrink", description="an order larger than a cap: shrink it to the cap, or refuse it"
    )
    sessions: tuple[Hours, ...] = Field(
        (), description="hours in which entries are allowed, UTC, as in `mon-fri 08:00-16:30`; none: always"
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
    max_risk_pct: float = Field(2.0, gt=0, description="of equity at risk in one position, whatever the sizing wants")
    max_open_positions: int = Field(10, ge=1, description="positions open or on their way")
    max_orders: int | None = Field(None, ge=1, description="entries in order_window")
    order_window: Duration = Field("1m", description="event time over which max_orders counts")
    max_daily_loss_pct: float | None = Field(
        None, gt=0, le=100, description="of equity at the beginning of the UTC day: after such a loss no entry that day"
    )
    max_lifetime_loss_pct: float | None = Field(
        None, gt=0, le=100, description="of the starting cash: after such a loss no entry at all"
    )
