"""``entries``: how a position is entered (docs/fills.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.config.section import Section


class EntriesConfig(Section):
    """At the market, or by an order that waits for a price and is withdrawn when that does not come."""

    type: Literal["market", "limit", "stop"] = Field(
        "market", description="limit: at a better price than that of the signal; stop: once the price has gone further"
    )
    by: Literal["percent", "atr"] = Field("percent", description="unit of `at`: of the price, or average true ranges")
    at: float = Field(0.1, gt=0, description="for limit and stop: distance of the order from the price of the signal")
    candles: int = Field(5, ge=1, description="for limit and stop: withdrawn when so many candles have closed")
    additions: int = Field(
        0, ge=0, description="how often a wish for the side that is held adds to the position; 0: it is refused"
    )

    @property
    def uses_atr(self) -> bool:
        """Whether the distance is measured in average true ranges."""
        return self.type != "market" and self.by == "atr"
