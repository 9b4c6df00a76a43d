"""Slice: an entry of the journal. What one shard says: candles and their signals, that none came, or a command."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.command import Command
from schemas.record import Price, Record, Symbol
from schemas.signal import Signal


class Slice(Record):
    """Columns of equal length in the order in which the candles came, and the few signals among them.

    ``timeout`` and ``silence`` have no rows: the portfolio stopped waiting for the shard at the instant ``watermark``,
    or nothing at all came for long. A ``command`` has none either: its ``shard`` is the partition that it came from.
    """

    shard: Annotated[str, Field(description="partition of the market topic that speaks")]
    shards: Annotated[list[str], Field(description="all partitions of the market topic")]
    upto: Annotated[int, Field(ge=0, description="everything in the partition before this offset has been said")]
    watermark: Annotated[int, Field(ge=-1, description="nothing up to here will follow, epoch ms UTC; -1 at first")]
    cause: Annotated[Literal["candles", "timeout", "silence", "command"], Field(description="why this entry was made")]
    waited_ms: Annotated[int, Field(ge=0, description="wall-clock milliseconds waited in vain")]
    symbols: Annotated[list[Symbol], Field(description="the symbols of the rows")]
    timeframes: Annotated[list[str], Field(description="of each symbol, as ccxt writes it")]
    slot: Annotated[list[int], Field(description="by row: which of the symbols")]
    ts: Annotated[list[int], Field(description="by row: close time, epoch ms UTC")]
    open: list[Price]
    high: list[Price]
    low: list[Price]
    close: list[Price]
    position: Annotated[list[int], Field(description="by row: offset of the candle in its partition")]
    signals: list[Signal]
    signal_row: Annotated[list[int], Field(description="by signal: the row that raised it")]
    command: Annotated[Command | None, Field(description="what a command says; not there otherwise")] = None
    received_ms: Annotated[int, Field(ge=0, description="of a command: wall clock when it was read, epoch ms UTC")] = 0
