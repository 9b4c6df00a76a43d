"""The frames of Binance's sockets, spot and futures alike."""

from __future__ import annotations

import msgspec

from connectors.exchanges.interface import QUOTE, TRADE, Exchange, Notice, Parsed, Parser
from connectors.exchanges.records import Count, Millis, NotNegative, Positive, Symbol, candle, lax

OTHERS = {
    *("depthUpdate", "24hrTicker", "24hrMiniTicker", "1hTicker", "4hTicker", "1dTicker", "avgPrice"),
    *("markPriceUpdate", "forceOrder", "contractInfo", "compositeIndex", "serverShutdown", "executionReport"),
    *("outboundAccountPosition", "balanceUpdate", "listStatus", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "trade"),
    "aggTrade",
}
"""Events that are known and not for us; ``trade`` and ``aggTrade`` where the market's other one is read."""


class _Kline(msgspec.Struct):
    t: Millis
    i: str
    o: Positive
    h: Positive
    l: Positive  # noqa: E741 (the exchange's name)
    c: Positive
    v: NotNegative
    x: bool
    q: NotNegative
    n: Count
    V: NotNegative


class _Trade(msgspec.Struct):
    s: Symbol
    t: int
    p: Positive
    q: Positive
    T: Millis
    m: bool


class _AggTrade(msgspec.Struct):
    s: Symbol
    a: int
    p: Positive
    q: Positive
    T: Millis
    m: bool


class _OfTrades(msgspec.Struct):
    data: _Trade


class _OfAggTrades(msgspec.Struct):
    data: _AggTrade


class _Quote(msgspec.Struct):
    s: Symbol
    b: Positive
    B: NotNegative
    a: Positive
    A: NotNegative
    T: Millis | None = None


class _Candle(msgspec.Struct):
    s: Symbol
    k: _Kline


ABSENT = msgspec.Raw()


class _Head(msgspec.Struct):
    """Which message it is. Spot's bookTicker has no ``e``."""

    stream: str = ""
    data: msgspec.Raw = ABSENT
    e: str = ""
    E: int | None = None
    u: msgspec.Raw = ABSENT
    event: msgspec.Raw = ABSENT
    lastUpdateId: msgspec.Raw = ABSENT  # noqa: N815 (the exchange's name)
    id: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT
    msg: str | None = None


_head, _quote, _candle = msgspec.json.Decoder(_Head), lax(_Quote), lax(_Candle)
_trade, _agg_trade, _of_trades, _of_agg_trades = lax(_Trade), lax(_AggTrade), lax(_OfTrades), lax(_OfAggTrades)


class BinanceParser(Parser):
    """Combined streams (``{stream, data}``) and raw ones alike. Candles come out when they are closed (``x``)."""

    def __init__(self, exchange: Exchange, trades: str) -> None:
        """``trades`` is the event to read them from: ``trade`` or ``aggTrade``."""
        self._exchange = exchange
        self._trades, self._agg = trades, trades == "aggTrade"
        self._mark = f'@{trades}","data":{{'.encode()
        self._symbols: dict[str, str] = {}

    def read(self, frame: bytes, received_ns: int) -> list[Parsed]:
        """One frame."""
        if frame.find(self._mark, 10, 80) > 0:  # most are trades of a combined stream, to be decoded in one go
            return [self._made(_of_agg_trades.decode(frame).data if self._agg else _of_trades.decode(frame).data)]
        head = _head.decode(frame)
        body: bytes | msgspec.Raw = frame
        kind = head.e
        if head.data:
            body = head.data
            kind = head.stream.partition("@")[2] or head.stream
        if kind == self._trades:
            return [self._made(_agg_trade.decode(body) if self._agg else _trade.decode(body))]
        if kind == "bookTicker" or (not kind and head.u):
            return [self._quote(body, received_ns)]
        if kind.startswith("kline"):
            return [self._candle(body)]
        return [_notice(head, kind)]

    def _symbol(self, name: str) -> str:
        found = self._symbols.get(name)
        if found is None:
            found = self._symbols[name] = self._exchange.from_exchange(name)
        return found

    def _made(self, row: _Trade | _AggTrade) -> Parsed:
        number, side = row.t if isinstance(row, _Trade) else row.a, "sell" if row.m else "buy"
        return TRADE(symbol=self._symbol(row.s), ts=row.T, id=str(number), price=row.p, amount=row.q, side=side)

    def _quote(self, body: bytes | msgspec.Raw, received_ns: int) -> Parsed:
        row = _quote.decode(body)
        ts = received_ns // 1_000_000 if row.T is None else row.T
        return QUOTE(symbol=self._symbol(row.s), ts=ts, bid=row.b, ask=row.a, bid_size=row.B, ask_size=row.A)

    def _candle(self, body: bytes | msgspec.Raw) -> Parsed:
        row = _candle.decode(body)
        k, symbol = row.k, self._symbol(row.s)
        if not k.x:
            return Notice("ignored", "a candle that is still open", symbol=symbol)
        prices = (k.o, k.h, k.l, k.c)
        return candle(symbol, k.i, k.t, prices, k.v, quote_volume=k.q, count=k.n, taker_buy_volume=k.V)


def _notice(head: _Head, kind: str) -> Notice:
    if head.error or head.msg is not None:
        return Notice("error", head.msg or bytes(head.error).decode())
    if head.id:
        return Notice("subscribed", f"request {bytes(head.id).decode()} was taken")
    if head.event:
        return Notice("ignored", "an event of an account")
    if head.lastUpdateId:
        return Notice("ignored", "a picture of the order book")
    event = kind.partition("@")[0]
    if event in OTHERS or event.startswith(("depth", "ticker", "miniTicker", "!", "markPrice")):
        return Notice("ignored", f"{event} is not read", ts=head.E)
    raise ValueError(f"an event {kind!r} that is not known")
