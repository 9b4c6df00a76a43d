"""Fill: an execution of (a part of) one of our orders."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.order import Leg, Side
from schemas.record import Exact, Id, Millis, Record, Symbol


class Fill(Record):
    """What was really bought or sold, at which price and fee."""

    id: Id
    ts: Annotated[Millis, Field(description="event time: close of the candle in which it happened, epoch ms UTC")]
    candle_ts: Annotated[Millis, Field(description="open time of the candle in which it happened, epoch ms UTC")]
    portfolio: str
    strategy: str
    symbol: Symbol
    order_id: Id
    position_id: Id
    leg: Leg
    side: Side
    quantity: Annotated[Exact, Field(gt=0, description="base currency")]
    price: Annotated[Exact, Field(gt=0, description="price paid or received, slippage included")]
    fee: Annotated[Exact, Field(description="account currency")]
