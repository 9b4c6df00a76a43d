"""The frames of Bitunix's socket."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from connectors.exchanges.interface import QUOTE, TRADE, Exchange, Notice, Parsed, Parser
from connectors.exchanges.records import Millis, NotNegative, Positive, candle, instant, lax
from connectors.exchanges.running import Running
from schemas.timeframe import to_millis
from schemas.trade import Trade

KLINE = "market_kline_"
LENGTHS = {
    "1m": "1min",
    "3m": "3min",
    "5m": "5min",
    "15m": "15min",
    "30m": "30min",
    "1h": "60min",
    "2h": "2h",
    "4h": "4h",
    "6h": "6h",
    "8h": "8h",
    "12h": "12h",
    "1d": "1day",
}
"""Longer ones are left out: without an open time, where a week begins would be a guess."""
_TIMEFRAMES = {length: timeframe for timeframe, length in LENGTHS.items()}
REMEMBERED = 10_000  # trades, of all markets of a connection
OTHERS = ("ticker", "tickers", "price", "depth_books", "depth_book5", "depth_book15", "mark_kline_")


class _Trade(msgspec.Struct):
    t: str
    p: Positive
    v: Positive
    s: Literal["buy", "sell"]


class _Level(msgspec.Struct, array_like=True):
    price: str
    amount: str


class _Book(msgspec.Struct):
    b: list[_Level]
    a: list[_Level]


class _Kline(msgspec.Struct):
    o: Positive
    h: Positive
    l: Positive  # noqa: E741 (the exchange's name)
    c: Positive
    b: NotNegative  # in the base currency
    q: NotNegative


class _Head(msgspec.Struct):
    ch: str = ""
    symbol: Annotated[str, Meta(max_length=48)] = ""
    ts: Millis | None = None
    data: msgspec.Raw = msgspec.Raw()
    op: str = ""
    pong: int | None = None
    code: int | None = None
    msg: str = ""


_head = msgspec.json.Decoder(_Head)
_trades, _book, _kline = lax(list[_Trade]), lax(_Book), lax(_Kline)


class BitunixParser(Parser):
    """Remembers the candle that runs, and the last trades, which have no ids: two that are alike are counted."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._running = Running()
        self._alike: Counter[str] = Counter()

    def read(self, frame: bytes, received_ns: int) -> list[Parsed]:  # noqa: ARG002 (it tells its own time)
        """One frame."""
        head = _head.decode(frame)
        if not head.ch:
            return [_notice(head)]
        if head.ch.startswith(OTHERS):
            return [Notice("ignored", f"{head.ch} is not read", head.ts)]
        symbol = self._exchange.from_exchange(head.symbol)
        if head.ts is None:
            raise ValueError("it has no ts")
        if head.ch == "trade":
            out = self._trades(symbol, _trades.decode(head.data))
        elif head.ch == "depth_book1":
            out = [_quote(symbol, head.ts, _book.decode(head.data))]
        elif head.ch.startswith(KLINE):
            out = [self._candle(symbol, head.ch.removeprefix(KLINE), head.ts, _kline.decode(head.data))]
        else:
            raise ValueError(f"a channel {head.ch!r} that is not known")
        return [*out, *self._running.at(head.ts)]

    def _trades(self, symbol: str, rows: list[_Trade]) -> list[Parsed]:
        timed = sorted(((instant(row.t), row) for row in rows), key=lambda one: one[0])
        return [self._trade(symbol, ts, row) for ts, row in timed]

    def _trade(self, symbol: str, ts: int, row: _Trade) -> Trade:
        facts = f"{ts}-{row.s}-{row.p}-{row.v}"
        self._alike[symbol + facts] += 1
        count = self._alike[symbol + facts]
        if len(self._alike) > REMEMBERED:
            for oldest in list(self._alike)[: REMEMBERED // 2]:
                del self._alike[oldest]
        return TRADE(symbol=symbol, ts=ts, id=f"{facts}-{count}", price=row.p, amount=row.v, side=row.s)

    def _candle(self, symbol: str, length: str, ts: int, row: _Kline) -> Parsed:
        if length not in _TIMEFRAMES:
            return Notice("ignored", f"candles of {length} are not read", ts, symbol)
        timeframe = _TIMEFRAMES[length]
        opened = ts - ts % to_millis(timeframe)
        prices = (row.o, row.h, row.l, row.c)
        return self._running.offer(candle(symbol, timeframe, opened, prices, row.b, quote_volume=row.q))


def _quote(symbol: str, ts: int, book: _Book) -> Parsed:
    if not book.b or not book.a:
        return Notice("ignored", "one side of the order book is empty", ts, symbol)
    bid, ask = book.b[0], book.a[0]
    if not bid.price and not ask.price:
        return Notice("error", "the market does not exist", ts, symbol)
    return QUOTE(
        symbol=symbol,
        ts=ts,
        bid=msgspec.convert(bid.price, Positive, strict=False),
        ask=msgspec.convert(ask.price, Positive, strict=False),
        bid_size=msgspec.convert(bid.amount, NotNegative, strict=False),
        ask_size=msgspec.convert(ask.amount, NotNegative, strict=False),
    )


def _notice(head: _Head) -> Notice:
    if head.op == "error" or head.code:
        return Notice("error", head.msg or f"{head.op} was refused (code {head.code})")
    if head.op == "ping":
        return Notice("heartbeat", "pong")
    if head.op == "subscribe":
        return Notice("subscribed", head.msg or "subscribe")
    if head.op == "connect":
        return Notice("ignored", "connected")
    raise ValueError(f"an operation {head.op!r} that is not known")
