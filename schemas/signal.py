"""Signal: what a strategy wants at the close of a candle, before any risk rule has seen it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.record import Figures, Id, Millis, Mode, Price, Record, Symbol


class Signal(Record):
    """A strategy's wish: be long, be short, or be flat in one symbol."""

    id: Id
    ts: Annotated[Millis, Field(description="close of the candle that raised it, epoch ms UTC")]
    symbol: Symbol
    timeframe: Annotated[str, Field(description="of the candle that raised it")]
    strategy: Annotated[str, Field(description="name of the strategy in the configuration")]
    version: Annotated[str, Field(description="semantic version of the strategy's code")]
    mode: Annotated[Mode, Field(description="shadow: recorded and evaluated on paper, never an order")]
    side: Annotated[Literal["long", "short", "flat"], Field(description="the position wanted")]
    price: Annotated[Price, Field(description="close of the candle")]
    stop: Annotated[Price | None, Field(description="price at which the idea is wrong; none on flat")]
    target: Annotated[Price | None, Field(description="price at which to take the profit, if any")]
    confidence: Annotated[float, Field(ge=0, le=1, description="0 to 1, the strategy's own")]
    missing: Annotated[int, Field(ge=0, description="candles missing right before this one")]
    reason: Annotated[str, Field(description="in words, for a person")]
    values: Annotated[Figures, Field(description="indicator values it was decided on")]
    bid: Annotated[Price | None, Field(description="best bid as known at the close; none if not known")] = None
    ask: Annotated[Price | None, Field(description="best offer as known at the close; none if not known")] = None
    share_pct: Annotated[
        float | None, Field(gt=0, le=100, description="of flat: of what is held, what is to leave; none: all of it")
    ] = None
