"""Candles, trades, quotes and clocks: messages into columns; what is no record is told, see :mod:`.rows`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from connectors.kafka.rows import Rows, Unread, explain
from connectors.trade_ids import ids_of
from schemas.candle import Candle
from schemas.clock import Clock
from schemas.quote import Quote
from schemas.trade import Trade

__all__ = [
    "Decoded",
    "DecodedClocks",
    "DecodedQuotes",
    "DecodedTrades",
    "Unread",
    "decode",
    "decode_clocks",
    "decode_quotes",
    "decode_trades",
    "explain",
    "only",
]

_candles, _trades, _clock_rows, _quote_rows = Rows(Candle), Rows(Trade), Rows(Clock), Rows(Quote)
_NUMBERS = ("ts", "open", "high", "low", "close", "volume")
_prices = tuple(attrgetter(name) for name in _NUMBERS[1:])
_ts, _price, _amount = attrgetter("ts"), attrgetter("price"), attrgetter("amount")
_bid, _ask = attrgetter("bid"), attrgetter("ask")


Found = TypeVar("Found", "Decoded", "DecodedTrades", "DecodedQuotes", "DecodedClocks")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Columns over the messages that could be read; ``index`` says which these are, None when all could."""

    index: NDArray[np.int64] | None
    symbol: list[str]
    timeframe: list[str]
    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    quote: NDArray[np.float64] | None  # as in schemas.batch.CandleBatch
    unread: tuple[Unread, ...]

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class DecodedTrades:
    """The same of trades; ``buy`` and ``id`` as in :class:`schemas.batch.TradeBatch`."""

    index: NDArray[np.int64] | None
    symbol: list[str]
    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    amount: NDArray[np.float64]
    buy: NDArray[np.bool_]
    id: NDArray[np.int64]
    unread: tuple[Unread, ...]

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class DecodedQuotes:
    """The same of quotes."""

    index: NDArray[np.int64] | None
    symbol: list[str]
    ts: NDArray[np.int64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class DecodedClocks:
    """The same of clocks."""

    index: NDArray[np.int64] | None
    ts: NDArray[np.int64]
    unread: tuple[Unread, ...]


def only(found: Found, kept: NDArray[np.bool_]) -> Found:
    """Some of the rows; what could not be read stays."""
    rows = np.flatnonzero(kept)
    columns: dict[str, Any] = {"index": rows}
    for one in fields(found):
        column = getattr(found, one.name)
        if isinstance(column, np.ndarray):
            columns[one.name] = column[rows]
        elif isinstance(column, list):
            columns[one.name] = [column[row] for row in rows.tolist()]
    return replace(found, **columns)


def decode(values: Sequence[bytes | None]) -> Decoded:
    """Columns of some candles. Never raises on their content.

    >>> good = b'{"symbol":"BTC/USDT","timeframe":"1m","ts":60000,"open":1,"high":2,"low":1,"close":2,"volume":0}'
    >>> found = decode([good, b"{}"[:1]])
    >>> found.symbol, found.ts.tolist(), found.high.tolist(), found.index.tolist(), found.unread[0].index
    (['BTC/USDT'], [60000], [2.0], [0], 1)
    """
    return _candles.read(values, _candle_columns)


def decode_trades(values: Sequence[bytes | None]) -> DecodedTrades:
    """Columns of some trades. Never raises on their content.

    >>> found = decode_trades([b'{"symbol":"BTC/USDT","ts":7,"id":"42","price":1.5,"amount":2,"side":"buy"}'])
    >>> found.symbol, found.ts.tolist(), found.id.tolist(), found.buy.tolist(), found.unread
    (['BTC/USDT'], [7], [42], [True], ())
    """
    return _trades.read(values, _trade_columns)


def decode_clocks(values: Sequence[bytes | None]) -> DecodedClocks:
    """Columns of some clocks. Never raises on their content.

    >>> decode_clocks([b'{"ts":7}']).ts.tolist()
    [7]
    """
    return _clock_rows.read(values, _clock_columns)


def decode_quotes(values: Sequence[bytes | None]) -> DecodedQuotes:
    """Columns of some quotes. Never raises on their content.

    >>> found = decode_quotes([b'{"symbol":"BTC/USDT","ts":7,"bid":1.5,"ask":2,"bid_size":1,"ask_size":1}'])
    >>> found.symbol, found.ts.tolist(), found.bid.tolist(), found.ask.tolist()
    (['BTC/USDT'], [7], [1.5], [2.0])
    """
    return _quote_rows.read(values, _quote_columns)


def _quote_columns(rows: list[Any], index: NDArray[np.int64] | None, unread: tuple[Unread, ...]) -> DecodedQuotes:
    ts = np.fromiter(map(_ts, rows), np.int64, len(rows))
    bid, ask = (np.fromiter(map(get, rows), np.float64, len(rows)) for get in (_bid, _ask))
    return DecodedQuotes(index, [row.symbol for row in rows], ts, bid, ask, unread)


def _clock_columns(rows: list[Any], index: NDArray[np.int64] | None, unread: tuple[Unread, ...]) -> DecodedClocks:
    return DecodedClocks(index, np.fromiter(map(_ts, rows), np.int64, len(rows)), unread)


def _candle_columns(rows: list[Any], index: NDArray[np.int64] | None, unread: tuple[Unread, ...]) -> Decoded:
    count = len(rows)
    ts = np.fromiter(map(_ts, rows), np.int64, count)
    open_, high, low, close, volume = (np.fromiter(map(price, rows), np.float64, count) for price in _prices)
    symbol, timeframe = [row.symbol for row in rows], [row.timeframe for row in rows]
    return Decoded(index, symbol, timeframe, ts, open_, high, low, close, volume, _quotes(rows), unread)


def _quotes(rows: list[Any]) -> NDArray[np.float64] | None:
    bids, asks = list(map(_bid, rows)), list(map(_ask, rows))
    if bids.count(None) + asks.count(None) == 2 * len(rows):
        return None
    return np.array((bids, asks), np.float64).T.copy()  # None becomes NaN


def _trade_columns(rows: list[Any], index: NDArray[np.int64] | None, unread: tuple[Unread, ...]) -> DecodedTrades:
    count = len(rows)
    ts = np.fromiter(map(_ts, rows), np.int64, count)
    price, amount = (np.fromiter(map(get, rows), np.float64, count) for get in (_price, _amount))
    buy = np.fromiter([row.side == "buy" for row in rows], np.bool_, count)
    symbol = [row.symbol for row in rows]
    return DecodedTrades(index, symbol, ts, price, amount, buy, ids_of([row.id for row in rows]), unread)
