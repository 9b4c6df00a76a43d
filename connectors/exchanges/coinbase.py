"""Coinbase Advanced Trade."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from connectors.exchanges.coinbase_frames import FIVE_MINUTES, Bucket, CoinbaseParser, Match, in_order
from connectors.exchanges.interface import (
    WRONG,
    Exchange,
    ExchangeError,
    Heartbeat,
    Limits,
    Parser,
    Request,
    Socket,
    Stream,
    TradeIds,
)
from connectors.exchanges.records import lax
from schemas.candle import Candle
from schemas.timeframe import to_millis
from schemas.trade import Trade

GRANULARITY = {
    "1m": "ONE_MINUTE",
    "5m": "FIVE_MINUTE",
    "15m": "FIFTEEN_MINUTE",
    "30m": "THIRTY_MINUTE",
    "1h": "ONE_HOUR",
    "2h": "TWO_HOUR",
    "6h": "SIX_HOUR",
    "1d": "ONE_DAY",
}
CHANNELS: dict[Stream, str] = {"trades": "market_trades", "quotes": "ticker", "candles": "candles"}
OWN_USDC = ("USDT/USDC", "EURC/USDC")


class _Trades(msgspec.Struct):
    trades: list[Match]


class _Candles(msgspec.Struct):
    candles: list[Bucket]


class _Refusal(msgspec.Struct):
    error: str
    message: str = ""


_trades, _candles, _refusal = lax(_Trades), lax(_Candles), msgspec.json.Decoder(_Refusal)


class Coinbase(Exchange):
    """Spot. The public channels need no key."""

    id = "coinbase"
    name = "Coinbase Advanced Trade"
    pages = (
        "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview",
        "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels",
        "https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-market-trades",
        "https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-product-candles",
    )
    streams = ("trades", "quotes", "candles")
    timeframes = (FIVE_MINUTES,)
    history = tuple(GRANULARITY)
    trade_ids: TradeIds = "increasing"
    pages_from: Literal["oldest", "newest"] = "newest"
    limits = Limits(
        symbols_per_socket=30,
        messages_per_second=8,
        weight_per_minute=600,  # ten public requests a second
        candles_per_request=300,
        trades_per_request=1_000,
    )
    heartbeat = Heartbeat(silence_s=10)
    traps = (
        "Lost messages show in sequence_num, which counts all messages of a connection; trade ids only grow.",
        "A channel takes a message of its own; without any within five seconds the connection is closed, and a quiet "
        "one after a minute: so the channel heartbeats is always taken, too.",
        "Candles on the socket are of five minutes, and never marked as closed: one is let go when the next one "
        "begins or two seconds after its end by the exchange's own time; a change that comes later gives it again.",
        "A quote (ticker) is sent with a trade, so it can be old in a quiet market.",
        "Market data of BTC-USDC is that of BTC-USD, and comes under that name.",
        "Trades are sent every 250 ms, in answers newest first. Whose side the side is, the pages do not say: it is "
        "taken for the taker's, as ccxt and nautilus_trader do.",
    )
    socket_url = "wss://advanced-trade-ws.coinbase.com"
    rest_url = "https://api.coinbase.com"

    def to_exchange(self, symbol: str) -> str:
        """BTC/USD is BTC-USD."""
        base, slash, quote = symbol.partition("/")
        if not (slash and base and quote) or set("/:-") & set(base + quote):
            raise ValueError(f"{symbol!r} is no market of {self.name}: write it as BTC/USD")
        if quote == "USDC" and symbol not in OWN_USDC:
            raise ValueError(f"{self.name} sends market data of {symbol} as {base}/USD: ask for that")
        return f"{base}-{quote}"

    def from_exchange(self, name: str) -> str:
        """BTC-USD is BTC/USD."""
        base, dash, quote = name.partition("-")
        if not (dash and base and quote) or "-" in quote:
            raise ValueError(f"{name!r} is no name of a spot market of {self.name}")
        return f"{base}/{quote}"

    def sockets(self, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str = FIVE_MINUTES) -> list[Socket]:
        """As many as the symbols need; a message for each channel."""
        self.asked(symbols, streams, timeframe)
        step = self.limits.symbols_per_socket
        found = []
        for first in range(0, len(symbols), step):
            part = symbols[first : first + step]
            names = [self.to_exchange(symbol) for symbol in part]
            hello: list[dict[str, Any]] = [{"type": "subscribe", "channel": "heartbeats"}]
            hello += [{"type": "subscribe", "product_ids": names, "channel": CHANNELS[one]} for one in streams]
            found.append(Socket(self.ws, tuple(map(json.dumps, hello)), tuple(part), tuple(streams)))
        return found

    def parser(self) -> Parser:
        """For one connection."""
        return CoinbaseParser(self)

    def trades_request(self, after: Trade, until: int) -> Request:
        """The newest ones between two seconds."""
        params = {"limit": "1000", "start": str(after.ts // 1000), "end": str(until // 1000 + 1)}
        return Request(f"{self._market(after.symbol)}/ticker", params)

    def parse_trades(self, body: bytes, symbol: str) -> list[Trade]:
        """Sorted: they come newest first."""
        try:
            return in_order([row.trade(symbol) for row in self._answer(_trades, body).trades])
        except WRONG as error:
            raise self._unreadable(error, body) from error

    def candles_request(self, symbol: str, timeframe: str, since: int, until: int) -> Request:
        """A stretch of 300 candles; a longer one would be refused."""
        if timeframe not in GRANULARITY:
            raise ValueError(f"{self.id} has no candles of {timeframe}: it has {', '.join(GRANULARITY)}")
        end = self.candles_known(timeframe, since, until, ())
        params = {"start": str(since // 1000), "end": str((end - 1) // 1000), "granularity": GRANULARITY[timeframe]}
        return Request(f"{self._market(symbol)}/candles", params)

    def candles_known(self, timeframe: str, since: int, until: int, page: Sequence[Candle]) -> int:  # noqa: ARG002
        """The stretch that was asked for, whatever came of it."""
        return min(until, since + self.limits.candles_per_request * to_millis(timeframe))

    def parse_candles(self, body: bytes, symbol: str, timeframe: str) -> list[Candle]:
        """Sorted: they come newest first."""
        try:
            made = [row.candle(symbol, timeframe) for row in self._answer(_candles, body).candles]
        except WRONG as error:
            raise self._unreadable(error, body) from error
        return sorted(made, key=lambda one: one.ts)

    def _market(self, symbol: str) -> str:
        return f"{self.rest}/api/v3/brokerage/market/products/{self.to_exchange(symbol)}"

    def _answer(self, decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
        try:
            return decoder.decode(body)
        except WRONG as error:
            try:
                said = _refusal.decode(body)
            except WRONG:
                raise self._unreadable(error, body) from error
            raise ExchangeError(f"{self.id}: {said.message or said.error}") from None

    def _unreadable(self, error: Exception, body: bytes) -> ExchangeError:
        if isinstance(error, ExchangeError):
            return error
        return ExchangeError(f"{self.id}: an answer that cannot be read ({error}): {body[:200]!r}")
