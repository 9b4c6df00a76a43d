"""Trade: one execution on an exchange's public tape."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.record import Millis, Price, Record, Symbol


class Trade(Record):
    """A public trade as the exchange reported it."""

    symbol: Symbol
    ts: Annotated[Millis, Field(description="exchange's own time of the trade, epoch ms UTC")]
    id: Annotated[str, Field(description="the exchange's trade id")]
    price: Price
    amount: Annotated[float, Field(gt=0, allow_inf_nan=False, description="base currency")]
    side: Annotated[Literal["buy", "sell"], Field(description="side of the taker")]
