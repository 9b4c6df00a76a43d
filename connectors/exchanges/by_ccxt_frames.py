"""The frames that are made of ccxt's answers: its unified structures, without what the exchange itself had sent."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from connectors.exchanges.interface import QUOTE, TRADE, Notice, Parsed, Parser
from connectors.exchanges.records import Millis, NotNegative, Positive, Symbol, candle
from connectors.exchanges.running import Running
from schemas.candle import Candle
from schemas.trade import Trade


class Deal(msgspec.Struct):
    """A trade. ccxt leaves out what an exchange does not say."""

    symbol: Symbol
    timestamp: Millis
    price: Positive
    amount: Positive
    side: Literal["buy", "sell"] | None = None
    id: str | None = None

    def trade(self) -> Trade:
        """As a record; ValueError without a side. Without an id the facts are the id."""
        if self.side is None:
            raise ValueError("the exchange does not say who was the taker")
        number = self.id or f"{self.timestamp}-{self.side}-{self.price}-{self.amount}"
        return TRADE(
            symbol=self.symbol, ts=self.timestamp, id=number, price=self.price, amount=self.amount, side=self.side
        )


class Row(msgspec.Struct, array_like=True):
    """A candle."""

    time: Millis
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NotNegative | None = None

    def candle(self, symbol: str, timeframe: str) -> Candle:
        """As a record."""
        prices = (self.open, self.high, self.low, self.close)
        return candle(symbol, timeframe, self.time, prices, self.volume or 0.0)


class _Ticker(msgspec.Struct):
    timestamp: Millis | None = None
    bid: Positive | None = None
    ask: Positive | None = None
    bidVolume: NotNegative | None = None  # noqa: N815 (ccxt's name)
    askVolume: NotNegative | None = None  # noqa: N815 (ccxt's name)


class _Head(msgspec.Struct):
    stream: Literal["trades", "quotes", "candles"]
    symbol: Symbol
    timeframe: str = ""
    data: msgspec.Raw = msgspec.Raw()
    error: str | None = None


_head = msgspec.json.Decoder(_Head)
_deals, _rows = msgspec.json.Decoder(list[Deal]), msgspec.json.Decoder(list[Row])
_ticker = msgspec.json.Decoder(_Ticker)

TRADE_FIELDS = ("symbol", "timestamp", "price", "amount", "side", "id")
QUOTE_FIELDS = ("timestamp", "bid", "ask", "bidVolume", "askVolume")


def frame(stream: str, symbol: str, timeframe: str, answer: Any) -> bytes:
    """A frame of what ccxt answered.

    >>> frame("quotes", "BTC/EUR", "", {"bid": 1.0, "ask": 2.0, "info": {"b": "1.0"}})
    b'{"stream":"quotes","symbol":"BTC/EUR","data":{"bid":1.0,"ask":2.0}}'
    """
    data = answer
    if stream == "trades":
        data = [_only(one, TRADE_FIELDS) for one in answer]
    elif stream == "quotes":
        data = _only(answer, QUOTE_FIELDS)
    length = {"timeframe": timeframe} if stream == "candles" else {}
    return msgspec.json.encode({"stream": stream, "symbol": symbol} | length | {"data": data})


def failure(stream: str, symbol: str, error: Exception) -> bytes:
    """A frame of ccxt's words when it lost a connection."""
    return msgspec.json.encode({"stream": stream, "symbol": symbol, "error": str(error)[:200]})


def _only(structure: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: structure[name] for name in names if structure.get(name) is not None}


class CcxtParser(Parser):
    """Remembers the candle that runs: ccxt has none to end it."""

    def __init__(self) -> None:
        self._running = Running()

    def read(self, frame: bytes, received_ns: int) -> list[Parsed]:
        """One frame."""
        head = _head.decode(frame)
        now = received_ns // 1_000_000
        out: list[Parsed] = []
        if head.error is not None:
            out.append(Notice("error", head.error, symbol=head.symbol))
        elif head.stream == "trades":
            out += [one.trade() for one in _deals.decode(head.data)]
        elif head.stream == "quotes":
            out.append(_quote(head.symbol, now, _ticker.decode(head.data)))
        else:
            candles = [row.candle(head.symbol, head.timeframe) for row in _rows.decode(head.data)]
            out += [self._running.offer(one) for one in sorted(candles, key=lambda one: one.ts)]
        return [*out, *self._running.at(now)]


def _quote(symbol: str, now: int, row: _Ticker) -> Parsed:
    if row.bid is None or row.ask is None:
        return Notice("ignored", "a quote without both prices", row.timestamp, symbol)
    return QUOTE(
        symbol=symbol,
        ts=now if row.timestamp is None else row.timestamp,
        bid=row.bid,
        ask=row.ask,
        bid_size=row.bidVolume or 0.0,
        ask_size=row.askVolume or 0.0,
    )
