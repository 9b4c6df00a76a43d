"""Quote: best bid and offer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.record import Millis, Price, Record, Symbol

Size = Annotated[float, Field(ge=0, allow_inf_nan=False, description="base currency at that price")]


class Quote(Record):
    """The top of an order book at one instant.

    It also stands between the trades, without a key, in the partition of its symbol, so that candles made of them know
    bid and ask at their close: there once a second at most, and at a time by the exchange's clock in any case.
    """

    symbol: Symbol
    ts: Annotated[Millis, Field(description="exchange's own time of the quote, epoch ms UTC")]
    bid: Price
    ask: Price
    bid_size: Size
    ask_size: Size
