"""The frames of Coinbase's socket."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from connectors.exchanges.interface import QUOTE, TRADE, Exchange, Notice, Parsed, Parser
from connectors.exchanges.records import NotNegative, Positive, Symbol, candle, instant, lax
from connectors.exchanges.running import Running
from schemas.candle import Candle
from schemas.trade import Trade

FIVE_MINUTES = "5m"


class Match(msgspec.Struct):
    """A trade, on the socket and in answers alike."""

    trade_id: Annotated[str, Meta(min_length=1)]
    price: Positive
    size: Positive
    side: Literal["BUY", "SELL"]
    time: str
    product_id: Annotated[str, Meta(max_length=48)] = ""

    def trade(self, symbol: str) -> Trade:
        """As a record."""
        side = "buy" if self.side == "BUY" else "sell"
        return TRADE(
            symbol=symbol, ts=instant(self.time), id=self.trade_id, price=self.price, amount=self.size, side=side
        )


class Bucket(msgspec.Struct):
    """A candle, on the socket and in answers alike."""

    start: Annotated[int, Meta(ge=0, le=1 << 40)]  # epoch s
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NotNegative
    product_id: Annotated[str, Meta(max_length=48)] = ""

    def candle(self, symbol: str, timeframe: str) -> Candle:
        """As a record."""
        return candle(symbol, timeframe, self.start * 1000, (self.open, self.high, self.low, self.close), self.volume)


class _Ticker(msgspec.Struct):
    product_id: Symbol
    best_bid: Positive
    best_bid_quantity: NotNegative
    best_ask: Positive
    best_ask_quantity: NotNegative


class _Trades(msgspec.Struct):
    trades: list[Match]


class _Candles(msgspec.Struct):
    candles: list[Bucket]


class _Tickers(msgspec.Struct):
    tickers: list[_Ticker]


class _Head(msgspec.Struct):
    channel: str = ""
    timestamp: str = ""
    sequence_num: int | None = None
    events: msgspec.Raw = msgspec.Raw()
    type: str = ""
    message: str = ""


_head = msgspec.json.Decoder(_Head)
_trades, _candles, _tickers = lax(list[_Trades]), lax(list[_Candles]), lax(list[_Tickers])
_subscriptions = msgspec.json.Decoder(list[dict[str, dict[str, list[str]]]])


def in_order(trades: list[Trade]) -> list[Trade]:
    """Oldest first: the exchange gives the newest first. Ids grow, and so do their lengths."""
    return sorted(trades, key=lambda one: (one.ts, len(one.id), one.id))


class CoinbaseParser(Parser):
    """Counts the messages of the connection, and remembers the candle that runs: the exchange sends none to end it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._running = Running()
        self._sequence: int | None = None

    def read(self, frame: bytes, received_ns: int) -> list[Parsed]:  # noqa: ARG002 (it tells its own time)
        """One frame."""
        head = _head.decode(frame)
        if head.type == "error":
            return [Notice("error", head.message)]
        ts = instant(head.timestamp)
        said = self._said(head, ts)
        out = [*self._missed(head.sequence_num), *said]
        out += self._running.at(ts)
        return out

    def _missed(self, sequence: int | None) -> list[Parsed]:
        last = self._sequence
        if sequence is None or (last is not None and sequence <= last):
            return []
        self._sequence = sequence
        if last is None or sequence == last + 1:
            return []
        return [Notice("gap", f"{sequence - last - 1} messages before number {sequence} did not come")]

    def _said(self, head: _Head, ts: int) -> list[Parsed]:
        name = self._exchange.from_exchange
        if head.channel == "market_trades":
            rows = [row for event in _trades.decode(head.events) for row in event.trades]
            return [*in_order([row.trade(name(row.product_id)) for row in rows])]
        if head.channel in ("ticker", "ticker_batch"):
            return [
                QUOTE(
                    symbol=name(row.product_id),
                    ts=ts,
                    bid=row.best_bid,
                    ask=row.best_ask,
                    bid_size=row.best_bid_quantity,
                    ask_size=row.best_ask_quantity,
                )
                for event in _tickers.decode(head.events)
                for row in event.tickers
            ]
        if head.channel == "candles":
            buckets = [row for event in _candles.decode(head.events) for row in event.candles]
            candles = [row.candle(name(row.product_id), FIVE_MINUTES) for row in buckets]
            return [self._running.offer(one) for one in sorted(candles, key=lambda one: one.ts)]
        return [_notice(head, ts)]


def _notice(head: _Head, ts: int) -> Notice:
    if head.channel == "heartbeats":
        return Notice("heartbeat", "heartbeats", ts)
    if head.channel == "subscriptions":
        all_: dict[str, Any] = {}
        for event in _subscriptions.decode(head.events):
            all_ |= event.get("subscriptions", {})
        return Notice("subscribed", "; ".join(f"{channel}: {', '.join(all_[channel])}" for channel in sorted(all_)), ts)
    if head.channel in ("status", "l2_data", "user", "futures_balance_summary"):
        return Notice("ignored", f"{head.channel} is not read", ts)
    raise ValueError(f"a message of channel {head.channel!r}, which is not known")
