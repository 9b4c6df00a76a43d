"""Binance, spot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from connectors.exchanges.binance_frames import BinanceParser
from connectors.exchanges.interface import (
    TRADE,
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
from connectors.exchanges.records import Count, Millis, NotNegative, Positive, candle, lax, split
from schemas.candle import Candle
from schemas.trade import Trade

QUOTES = (
    *(
        "USDT",
        "USDC",
        "FDUSD",
        "TUSD",
        "BUSD",
        "USDP",
        "USD1",
        "USDS",
        "DAI",
        "BTC",
        "ETH",
        "BNB",
        "XRP",
        "DOGE",
        "TRX",
    ),
    *("EUR", "TRY", "BRL", "JPY", "MXN", "ARS", "PLN", "RON", "ZAR", "UAH", "CZK", "COP", "AUD", "GBP", "IDR", "RUB"),
)
FRAMES = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
HELLO = 200  # streams in one message: well below the size that the exchange takes


class _History(msgspec.Struct):
    id: int
    price: Positive
    qty: Positive
    time: Millis
    isBuyerMaker: bool  # noqa: N815 (the exchange's name)


class _Row(msgspec.Struct, array_like=True):
    t: Millis
    o: Positive
    h: Positive
    l: Positive  # noqa: E741 (the exchange's name)
    c: Positive
    v: NotNegative
    closed: int
    quote: NotNegative
    count: Count
    taker: NotNegative

    def candle(self, symbol: str, timeframe: str) -> Candle:
        prices = (self.o, self.h, self.l, self.c)
        return candle(
            symbol,
            timeframe,
            self.t,
            prices,
            self.v,
            quote_volume=self.quote,
            count=self.count,
            taker_buy_volume=self.taker,
        )


class _Refusal(msgspec.Struct):
    code: int
    msg: str


_history, _klines, _refusal = lax(list[_History]), lax(list[_Row]), lax(_Refusal)


class Binance(Exchange):
    """Spot. A socket takes its streams in SUBSCRIBE messages, so that a long list of symbols fits in no URL."""

    id = "binance"
    name = "Binance spot"
    pages = (
        "https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams",
        "https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints",
    )
    streams = ("trades", "quotes", "candles")
    timeframes: tuple[str, ...] = FRAMES
    history: tuple[str, ...] = FRAMES
    trade_ids: TradeIds = "contiguous"
    limits = Limits(
        symbols_per_socket=300,  # of 1,024 streams, three a symbol
        messages_per_second=4,  # of 5, for pongs count, too
        weight_per_minute=6_000,
        candles_per_request=1_000,
        trades_per_request=1_000,
        lifetime_s=86_400,
    )
    heartbeat = Heartbeat(silence_s=12, ping_s=5)
    traps = (
        "m says that the buyer was the maker: m true is a trade whose taker sold.",
        "A quote (bookTicker) has neither event type nor time: it gets the time of its receipt.",
        "A candle comes every two seconds while it is open; only the one with x true is taken.",
        "A connection is closed after 24 hours; pings of the server every 20 seconds are to be answered. There is no "
        "heartbeat that shows in a recording: a property of the connection is asked for instead.",
        "Names run base and quote together: BTCFDUSD is split at the longest quote currency that fits.",
    )
    socket_url = "wss://stream.binance.com:9443"
    rest_url = "https://api.binance.com"
    api: str = "/api/v3"
    trade_event: str = "trade"
    candles_weight: int = 2

    def to_exchange(self, symbol: str) -> str:
        """BTC/USDT is BTCUSDT."""
        name = symbol.replace("/", "", 1)
        if "/" not in symbol or ":" in symbol or self.from_exchange(name) != symbol:
            raise ValueError(f"{symbol!r} is no market of {self.name}: write it as BTC/USDT")
        return name

    def from_exchange(self, name: str) -> str:
        """BTCUSDT is BTC/USDT."""
        return "/".join(split(name, QUOTES))

    def sockets(self, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str = "1m") -> list[Socket]:
        """As many as the symbols need."""
        self.asked(symbols, streams, timeframe)
        step = self.limits.symbols_per_socket
        return [
            self.socket("/stream", symbols[first : first + step], streams, timeframe)
            for first in range(0, len(symbols), step)
        ]

    def socket(self, path: str, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str) -> Socket:
        """One connection with all streams of these symbols."""
        names = [
            self.to_exchange(symbol).lower() + self.channel(stream, timeframe)
            for symbol in symbols
            for stream in streams
        ]
        hello = tuple(
            json.dumps({"method": "SUBSCRIBE", "params": names[first : first + HELLO], "id": first // HELLO + 1})
            for first in range(0, len(names), HELLO)
        )
        return Socket(self.ws + path, hello, tuple(symbols), tuple(streams))

    def channel(self, stream: Stream, timeframe: str) -> str:
        """What follows the symbol in the name of a stream."""
        return {"trades": f"@{self.trade_event}", "quotes": "@bookTicker", "candles": f"@kline_{timeframe}"}[stream]

    def parser(self) -> Parser:
        """For one connection."""
        return BinanceParser(self, self.trade_event)

    def ping(self, now_ms: int) -> str:
        """A question that costs nothing, for a quiet market is to be told from a dead connection."""
        return json.dumps({"method": "GET_PROPERTY", "params": ["combined"], "id": now_ms})

    def trades_request(self, after: Trade, until: int) -> Request:  # noqa: ARG002 (it goes by ids)
        """By id; 25 of weight each."""
        params = {"symbol": self.to_exchange(after.symbol), "fromId": str(int(after.id) + 1), "limit": "1000"}
        return Request(f"{self.rest}{self.api}/historicalTrades", params, weight=25)

    def parse_trades(self, body: bytes, symbol: str) -> list[Trade]:
        """Of historicalTrades."""
        return [
            TRADE(
                symbol=symbol,
                ts=row.time,
                id=str(row.id),
                price=row.price,
                amount=row.qty,
                side="sell" if row.isBuyerMaker else "buy",
            )
            for row in self.answer(_history, body)
        ]

    def candles_request(self, symbol: str, timeframe: str, since: int, until: int) -> Request:
        """Klines from the one that opens at or after ``since``."""
        if timeframe not in self.history:
            raise ValueError(f"{self.id} has no candles of {timeframe}: it has {', '.join(self.history)}")
        params = {"symbol": self.to_exchange(symbol), "interval": timeframe, "startTime": str(since)}
        params |= {"endTime": str(until - 1), "limit": str(self.limits.candles_per_request)}
        return Request(f"{self.rest}{self.api}/klines", params, weight=self.candles_weight)

    def parse_candles(self, body: bytes, symbol: str, timeframe: str) -> list[Candle]:
        """Of klines: rows of open time, open, high, low, close, volume, …"""
        rows = self.answer(_klines, body)
        try:
            return [row.candle(symbol, timeframe) for row in rows]
        except WRONG as error:
            raise ExchangeError(f"{self.id}: a candle of {symbol} cannot be read: {error}") from error

    def answer(self, decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
        """Decode an answer; ExchangeError with the exchange's words where it is a refusal."""
        try:
            return decoder.decode(body)
        except WRONG as error:
            try:
                said = _refusal.decode(body)
            except WRONG:
                raise ExchangeError(f"{self.id}: an answer that cannot be read ({error}): {body[:200]!r}") from error
            raise ExchangeError(f"{self.id}: {said.msg} (code {said.code})") from None
