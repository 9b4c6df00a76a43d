"""Candle: open, high, low, close and volume of one symbol over one timeframe."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from schemas.record import Millis, Price, Record, Symbol


class Candle(Record):
    """A closed candle. Its event time is its *close*: nothing may be known from it before that.

    What is optional is left out on the wire where the feed does not say it.

    >>> Candle(symbol="BTC/USDT", timeframe="1m", ts=60_000, open=1.0, high=2.0, low=0.5, close=1.5, volume=3.0).ts
    60000
    """

    symbol: Symbol
    timeframe: Annotated[
        str, Field(description="length as ccxt writes it: 1m, 5m, 1h, 1d; by measure 500t, 10v, 1e+06q")
    ]
    ts: Annotated[Millis, Field(description="close time, epoch ms UTC (open time plus the timeframe)")]
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="traded amount, in the base currency unless the feed says")
    ]

    quote_volume: Annotated[
        float | None, Field(ge=0, allow_inf_nan=False, description="traded value, quote currency; none if not said")
    ] = None
    count: Annotated[int | None, Field(ge=0, description="number of trades; none if not said")] = None
    taker_buy_volume: Annotated[
        float | None,
        Field(ge=0, allow_inf_nan=False, description="part of volume that takers bought; none if not said"),
    ] = None
    vwap: Annotated[
        float | None,
        Field(gt=0, allow_inf_nan=False, description="mean price by volume; none if not said, or nothing was traded"),
    ] = None
    bid: Annotated[Price | None, Field(description="best bid as known at the close; none if not known")] = None
    ask: Annotated[Price | None, Field(description="best offer as known at the close; none if not known")] = None

    @model_validator(mode="after")
    def _bounds(self) -> Candle:
        if self.high < self.low:
            raise ValueError(f"high {self.high} is below low {self.low}")
        if not self.low <= min(self.open, self.close) <= max(self.open, self.close) <= self.high:
            raise ValueError(f"open {self.open} or close {self.close} lies outside low {self.low} … high {self.high}")
        if (self.bid is None) != (self.ask is None):
            raise ValueError(f"bid {self.bid} and ask {self.ask}: a quote is both of them or none")
        if self.bid is not None and self.ask is not None and self.ask < self.bid:
            raise ValueError(f"ask {self.ask} is below bid {self.bid}")
        return self
