"""``broker``: how the paper broker fills (docs/fills.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.config.section import Section


class BrokerConfig(Section):
    """The paper broker."""

    fill_at: Literal["next_open", "close"] = Field(
        "next_open", description="where a market order is filled: open of the next candle, or close of the signal's"
    )
    fee_pct: float = Field(0.05, ge=0, lt=100, description="of the filled value, each way; 0.05 = 0.05 %")
    slippage_pct: float = Field(
        0.0, ge=0, lt=100, description="against us, on market and stop fills; 0.01 = 0.01 % of the price"
    )
