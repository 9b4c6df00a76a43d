"""``risk``: how much to trade, and what to refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from schemas.config.section import Positive, Section


class RiskConfig(Section):
    """Sizing and gates."""

    sizing: Literal["risk", "fixed_quantity", "fixed_notional"] = Field(
        "risk", description="risk: lose per_trade_pct of equity if the stop is hit; or a fixed quantity or notional"
    )
    per_trade_pct: float = Field(0.5, gt=0, le=100, description="of equity at risk in one trade; 1.0 = 1 %")
    quantity: Positive = Field(Decimal(1), description="for fixed_quantity, base currency")
    notional: Positive = Field(Decimal(1000), description="for fixed_notional, account currency")
    over_cap: Literal["shrink", "refuse"] = Field(
        "shrink", description="an order larger than a cap: shrink it to the cap, or refuse it"
    )
    max_position_pct: float = Field(25.0, gt=0, description="value of one position, of equity; 100.0 = all of it")
    max_gross_exposure_pct: float = Field(100.0, gt=0, description="value of all positions, of equity; 100.0 = all")
    max_open_positions: int = Field(10, ge=1, description="positions open or on their way")
    min_reward_to_risk: float = Field(
        1.0, ge=0, description="distance to the target over distance to the stop; signals without a target pass"
    )
