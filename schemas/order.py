"""Order: a decision that has passed every gate."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.record import Exact, Figures, Id, Millis, Record, Symbol

Side = Literal["buy", "sell"]
BracketLeg = Literal["stop", "target"]
ExitLeg = Literal["exit", "stop", "target", "time", "close"]
Leg = Literal["entry", "add", "exit", "stop", "target", "time", "close"]


class Tranche(Record):
    """A part of a position that has a stop and a target of its own."""

    quantity: Annotated[Exact, Field(gt=0, description="base currency, a multiple of the lot")]
    stop: Annotated[Exact, Field(description="protective stop")]
    target: Annotated[Exact | None, Field(description="take-profit price, if any")]


class Order(Record):
    """An order for an exchange, or for the paper broker. An entry always carries its stop."""

    id: Annotated[Id, Field(description="uuid5 of portfolio, strategy, symbol, candle close, leg; the client order id")]
    ts: Annotated[Millis, Field(description="event time of the decision, epoch ms UTC")]
    portfolio: str
    strategy: str
    symbol: Symbol
    leg: Annotated[
        Leg, Field(description="entry opens, add adds; exit follows a signal, time an age; stop and target guard it")
    ]
    side: Side
    type: Literal["market", "limit", "stop"]
    quantity: Annotated[Exact, Field(gt=0, description="base currency, a multiple of the lot")]
    price: Annotated[Exact | None, Field(description="limit or trigger price; none for a market order")]
    stop: Annotated[Exact | None, Field(description="protective stop; never none on an entry")]
    target: Annotated[Exact | None, Field(description="take-profit price, if any")]
    reduce_only: Annotated[bool, Field(description="true: can only make the position smaller")]
    position_id: Annotated[Id, Field(description="position that it opens or closes")]
    signal_id: Annotated[Id | None, Field(description="signal it came from; none for stop, target and time")]
    reason: str
    checks: Annotated[dict[str, Figures], Field(description="each gate that let it through, with its figures")]
    tranches: list[Tranche] = Field(
        [], description="of an entry: parts that leave on their own; none: it leaves as one"
    )
