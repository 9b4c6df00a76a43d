"""What the parsers share: types that check a field while it is decoded, records, times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from connectors.exchanges.interface import CANDLE
from schemas.candle import Candle
from schemas.timeframe import to_millis

LARGEST = 1e300
Positive = Annotated[float, Meta(gt=0, le=LARGEST)]
NotNegative = Annotated[float, Meta(ge=0, le=LARGEST)]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Symbol = Annotated[str, Meta(min_length=1, max_length=48)]
"""Of a market, as an exchange has it: what we make of it has place in a record, too."""
Millis = Annotated[int, Meta(ge=0, le=1 << 53)]


def lax(kind: Any) -> msgspec.json.Decoder[Any]:
    """A decoder that takes numbers in quotes for numbers."""
    return msgspec.json.Decoder(kind, strict=False)


def candle(
    symbol: str,
    timeframe: str,
    opened: int,
    prices: tuple[float, float, float, float],
    volume: float,
    *,
    quote_volume: float | None = None,
    count: int | None = None,
    taker_buy_volume: float | None = None,
    vwap: float | None = None,
) -> Candle:
    """A candle from its open time in epoch ms and its open, high, low and close; ValueError where they contradict.

    A ``vwap`` of 0 says that nothing was traded, so there is none.

    >>> candle("BTC/USDT", "1m", 60_000, (1.0, 3.0, 0.5, 2.0), 7.0).ts
    120000
    """
    open_, high, low, close = prices
    if not low <= min(open_, close) <= max(open_, close) <= high:
        when = datetime.fromtimestamp(opened / 1000, UTC).isoformat()
        raise ValueError(f"open {open_} or close {close} lies outside low {low} … high {high} in the candle of {when}")
    ts = opened + to_millis(timeframe)
    return CANDLE(
        symbol=symbol,
        timeframe=timeframe,
        ts=ts,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
        quote_volume=quote_volume,
        count=count,
        taker_buy_volume=taker_buy_volume,
        vwap=vwap or None,
    )


def instant(text: str) -> int:
    """Epoch ms of an ISO 8601 time, which has to name its zone; digits past the millisecond are cut off.

    >>> instant("2023-10-04T16:25:00.123456789Z"), instant("2026-04-07 14:30:10+00:00")
    (1696436700123, 1775572210000)

    Raises ValueError, also for a time before 1970.
    """
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    seconds = when.replace(microsecond=0).timestamp()
    if seconds < 0:
        raise ValueError(f"{text!r} is before 1970")
    return int(seconds) * 1000 + when.microsecond // 1000


def split(name: str, quotes: tuple[str, ...]) -> tuple[str, str]:
    """Base and quote of a market whose name has nothing between them; the longest quote that fits.

    >>> split("BTCFDUSD", ("USD", "FDUSD"))
    ('BTC', 'FDUSD')
    """
    for quote in sorted(quotes, key=len, reverse=True):
        if name.endswith(quote) and len(name) > len(quote):
            return name[: -len(quote)], quote
    raise ValueError(f"the market {name!r} has none of the quote currencies {', '.join(quotes)}")
