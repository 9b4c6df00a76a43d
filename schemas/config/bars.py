"""``market.bars``: which candles are made of trades."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from schemas.config.section import Duration, Section
from schemas.timeframe import UNITS, to_millis

DAY = UNITS["d"]


def _in_a_day(timeframe: str) -> str:
    length = to_millis(timeframe)
    if length > DAY:
        raise ValueError(f"{timeframe} is longer than a day: candles of trades start at a UTC midnight at the latest")
    if DAY % length:
        count, unit = int(timeframe[:-1]), timeframe[-1]
        whole = [one for one in range(1, DAY // UNITS[unit] + 1) if DAY // UNITS[unit] % one == 0]
        below, above = max(one for one in whole if one < count), min(one for one in whole if one > count)
        raise ValueError(f"{timeframe} does not divide a day (UTC): take {below}{unit} or {above}{unit}")
    return timeframe


class BarsConfig(Section):
    """Candles of one kind: by time, or by how much was traded. Nothing set: candles are read, not made."""

    timeframes: tuple[Annotated[Duration, AfterValidator(_in_a_day)], ...] = Field(
        (), description="candles by time that divide a day (UTC); strategies see the first, the topic bars has all"
    )
    ticks: int | None = Field(None, ge=1, description="or: a candle for so many trades")
    volume: float | None = Field(None, gt=0, description="or: … for so much traded amount, base currency")
    quote_volume: float | None = Field(None, gt=0, description="or: … for so much traded value, quote currency")
    allowed_lateness: Duration = Field(
        "2s", description="a candle closes when trades, or the clock of their feed, are this far past its end"
    )
    remember: int = Field(
        100_000, ge=1, description="trades of a shard, at least, whose ids are known again if repeated"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> BarsConfig:
        given = [name for name in ("timeframes", "ticks", "volume", "quote_volume") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given: set one of them")
        if len(set(self.timeframes)) < len(self.timeframes):
            raise ValueError("timeframes: one is given twice")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """The candles that are made, as their ``timeframe`` says it; strategies see the first.

        >>> BarsConfig(timeframes=("1m", "1h")).kinds, BarsConfig(ticks=500).kinds, BarsConfig(quote_volume=1e6).kinds
        (('1m', '1h'), ('500t',), ('1e+06q',))
        """
        measured = ((self.ticks, "t"), (self.volume, "v"), (self.quote_volume, "q"))
        return self.timeframes or tuple(f"{limit:g}{unit}" for limit, unit in measured if limit)

    @property
    def made(self) -> bool:
        """Whether candles are made of trades."""
        return bool(self.timeframes or self.ticks or self.volume or self.quote_volume)
