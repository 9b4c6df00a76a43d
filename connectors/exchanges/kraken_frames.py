"""The frames of Kraken's socket."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from connectors.exchanges.interface import QUOTE, TRADE, Notice, Parsed, Parser
from connectors.exchanges.records import Count, NotNegative, Positive, Symbol, candle, instant, lax
from connectors.exchanges.running import Running
from schemas.candle import Candle
from schemas.timeframe import from_millis


class _Trade(msgspec.Struct):
    symbol: Symbol
    side: Literal["buy", "sell"]
    price: Positive
    qty: Positive
    trade_id: int
    timestamp: str


class _Ticker(msgspec.Struct):
    symbol: Symbol
    bid: Positive
    bid_qty: NotNegative
    ask: Positive
    ask_qty: NotNegative
    timestamp: str | None = None


class _Ohlc(msgspec.Struct):
    symbol: Symbol
    interval: Annotated[int, Meta(gt=0)]
    interval_begin: str
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NotNegative
    vwap: NotNegative
    trades: Count


class _Head(msgspec.Struct):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw()
    method: str = ""
    success: bool = True
    error: str = ""
    result: dict[str, Any] = {}
    time_out: str | None = None


_head, _trades = msgspec.json.Decoder(_Head), lax(list[_Trade])
_tickers, _ohlcs = lax(list[_Ticker]), lax(list[_Ohlc])


class KrakenParser(Parser):
    """Remembers the candle that runs, of each symbol: Kraken sends none to end it."""

    def __init__(self) -> None:
        self._running = Running()

    def read(self, frame: bytes, received_ns: int) -> list[Parsed]:
        """One frame."""
        head = _head.decode(frame)
        out: list[Parsed] = []
        if head.channel == "trade":
            out += [
                TRADE(
                    symbol=row.symbol,
                    ts=instant(row.timestamp),
                    id=str(row.trade_id),
                    price=row.price,
                    amount=row.qty,
                    side=row.side,
                )
                for row in _trades.decode(head.data)
            ]
        elif head.channel == "ticker":
            out += [_quote(row, received_ns) for row in _tickers.decode(head.data)]
        elif head.channel == "ohlc":
            candles = [_candle(row) for row in _ohlcs.decode(head.data)]
            out += [self._running.offer(one) for one in candles]
        else:
            out.append(_notice(head))
        out += self._running.at(received_ns // 1_000_000)
        return out


def _quote(row: _Ticker, received_ns: int) -> Parsed:
    ts = received_ns // 1_000_000 if row.timestamp is None else instant(row.timestamp)
    return QUOTE(symbol=row.symbol, ts=ts, bid=row.bid, ask=row.ask, bid_size=row.bid_qty, ask_size=row.ask_qty)


def _candle(row: _Ohlc) -> Candle:
    prices = (row.open, row.high, row.low, row.close)
    timeframe, opened = from_millis(row.interval * 60_000), instant(row.interval_begin)
    return candle(row.symbol, timeframe, opened, prices, row.volume, count=row.trades, vwap=row.vwap)


def _notice(head: _Head) -> Notice:
    ts = None if head.time_out is None else instant(head.time_out)
    if not head.success or head.error:
        return Notice("error", head.error or f"{head.method} failed", ts)
    if head.method == "subscribe":
        symbol = head.result.get("symbol")
        said = f"{head.result.get('channel')} of {symbol}"
        return Notice("subscribed", said, ts, symbol if isinstance(symbol, str) else None)
    if head.method == "pong" or head.channel == "heartbeat":
        return Notice("heartbeat", head.method or head.channel, ts)
    if head.channel in ("status", "book", "instrument", "level3", "executions", "balances"):
        return Notice("ignored", f"{head.channel} is not read")
    raise ValueError(f"a message of channel {head.channel!r} and method {head.method!r}, neither of which is known")
