"""Rows of candle files as records, and those that are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from connectors.candle_file import CandleSeries
from connectors.sharding import ShardColumns
from schemas.batch import quotes
from schemas.candle import Candle
from schemas.timeframe import from_millis
from schemas.wire import wire

CHUNK = 16_384
FIELDS = ("symbol", "timeframe", "ts", "open", "high", "low", "close", "volume", "bid", "ask")


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is no candle: its file, its number there counted from 1, and why."""

    path: str
    row: int
    why: str

    def __str__(self) -> str:
        return f"{self.path}: row {self.row}: {self.why}"


def recorded(columns: ShardColumns) -> Iterator[Candle | Refused]:
    """Each row, in event order, as a candle or with the reason why it cannot be one.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from connectors.candle_file import read_candles
    >>> from connectors.sharding import merge
    >>> file = Path(tempfile.mkdtemp()) / "BTC_USDT-1m.csv"
    >>> _ = file.write_text("time,open,high,low,close\\n1640995200,1,3,1,2\\n1640995260,2,1,2,2\\n")
    >>> candle, refused = recorded(merge([read_candles(file)]))
    >>> candle.ts, candle.close, refused.row, refused.why
    (1640995260000, 2.0, 2, 'high 1.0 is below low 2.0 (1640995260,2,1,2,2)')
    """
    make = wire(Candle)
    series = columns.series
    frames = [from_millis(one.timeframe_ms) for one in series]
    sane = _sane(columns)
    for start in range(0, len(columns), CHUNK):
        part = slice(start, start + CHUNK)
        names = ("slot", "ts", "open", "high", "low", "close", "volume", "series_row")
        lists = [getattr(columns, name)[part].tolist() for name in names]
        known = quotes(None if columns.quote is None else columns.quote[part], len(sane[part]))
        rows = zip(sane[part].tolist(), *lists, known, strict=True)
        for good, slot, ts, open_, high, low, close, volume, row, (bid, ask) in rows:
            symbol, timeframe = columns.symbols[slot], frames[slot]
            if good:
                yield make(
                    symbol=symbol,
                    timeframe=timeframe,
                    ts=ts,
                    open=open_,
                    high=high,
                    low=low,
                    close=close,
                    volume=volume,
                    bid=bid,
                    ask=ask,
                )
            else:
                yield _refused(series[slot], row, (symbol, timeframe, ts, open_, high, low, close, volume, bid, ask))


def _sane(c: ShardColumns) -> NDArray[np.bool_]:
    """What :class:`~schemas.candle.Candle` checks, on columns. A NaN fails every comparison."""
    inside = (c.low <= np.minimum(c.open, c.close)) & (np.maximum(c.open, c.close) <= c.high)
    numbers = (c.low > 0) & (c.high < np.inf) & (c.volume >= 0) & (c.volume < np.inf)
    named = np.array([0 < len(symbol) <= 64 for symbol in c.symbols])
    return np.asarray(inside & numbers & (c.ts >= 0) & named[c.slot] & ~c.misquoted(), np.bool_)


def _refused(series: CandleSeries, row: int, values: tuple[object, ...]) -> Refused:
    why = "is no candle"
    try:
        Candle.model_validate(dict(zip(FIELDS, values, strict=True)))
    except ValidationError as error:
        why = ", ".join(_reason(one["loc"], one["msg"]) for one in error.errors(include_url=False))
    return Refused(str(series.path), series.position(row), f"{why} ({series.raw(row)})")


def _reason(place: tuple[int | str, ...], message: str) -> str:
    name = f"{place[0]}: " if place else ""
    return name + message.removeprefix("Value error, ")
