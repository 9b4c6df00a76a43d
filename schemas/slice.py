"""Slice: what one shard has to say about a run of instants: its candles and the signals they raised."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.record import Millis, Record
from schemas.signal import Signal


class Slice(Record):
    """Columns of equal length, sorted by instant and symbol, and the few signals among them.

    Every instant up to ``watermark`` is complete: the shard will say nothing more about it.
    """

    shard: Annotated[str, Field(description="partition of the market topic")]
    watermark: Annotated[Millis, Field(description="the shard has said all up to here, epoch ms UTC")]
    ts: list[int]
    symbol: list[str]
    timeframe: Annotated[list[int], Field(description="milliseconds")]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    signals: list[Signal]
