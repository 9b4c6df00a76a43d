"""Position: the state of one strategy's holding in one symbol, after each change."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.order import ExitLeg
from schemas.record import Exact, Id, Millis, Mode, Record, Symbol


class Position(Record):
    """One record when it opens, at each change, and when it closes; the last one holds the whole round trip."""

    id: Annotated[Id, Field(description="the same from open to close")]
    ts: Annotated[Millis, Field(description="event time of this change, epoch ms UTC")]
    portfolio: str
    strategy: str
    symbol: Symbol
    mode: Annotated[Mode, Field(description="shadow: held on paper only, beside the portfolio")]
    side: Literal["long", "short"]
    status: Literal["open", "closed"]
    quantity: Annotated[Exact, Field(gt=0, description="base currency: still held while open, all of it when closed")]
    entry_price: Annotated[Exact, Field(description="average of what is held, of all when closed, slippage included")]
    entry_ts: Annotated[Millis, Field(description="open time of the candle of the entry, epoch ms UTC")]
    stop: Annotated[Exact, Field(description="protective stop in force; of several the one farthest away")]
    target: Annotated[
        Exact | None, Field(description="take-profit price in force, if any; of several the one farthest away")
    ]
    exit_price: Annotated[Exact | None, Field(description="average, slippage included; none while open")]
    exit_ts: Annotated[Millis | None, Field(description="open time of the candle of the exit; none while open")]
    exit_leg: Annotated[ExitLeg | None, Field(description="what closed it, or the last part of it")]
    realised_pnl: Annotated[Exact, Field(description="account currency, of what has left, less all fees paid so far")]
    fees: Annotated[Exact, Field(description="account currency, paid so far")]
