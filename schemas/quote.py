"""Quote: best bid and offer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.record import Millis, Price, Record, Symbol

Size = Annotated[float, Field(ge=0, allow_inf_nan=False, description="base currency at that price")]


class Quote(Record):
    """The top of an order book at one instant."""

    symbol: Symbol
    ts: Annotated[Millis, Field(description="exchange's own time of the quote, epoch ms UTC")]
    bid: Price
    ask: Price
    bid_size: Size
    ask_size: Size
