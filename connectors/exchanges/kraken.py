"""Kraken, spot, websocket API v2."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

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
    UnreachableError,
)
from connectors.exchanges.kraken_frames import KrakenParser
from connectors.exchanges.records import Count, Millis, NotNegative, Positive, candle, lax, split
from schemas.candle import Candle
from schemas.trade import Trade

MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440, "1w": 10080}
CHANNELS: dict[Stream, str] = {"trades": "trade", "quotes": "ticker", "candles": "ohlc"}
LATER = ("EAPI:Rate limit", "EGeneral:Too many requests", "EService:Unavailable", "EService:Busy", "EService:Throttled")
"""Errors that are gone after a while; they come with status 200."""
OLD_NAMES = {"BTC": "XBT", "DOGE": "XDG"}  # REST still writes them so
QUOTES = (
    "USDT",
    "USDC",
    "USDG",
    "USD",
    "EUR",
    "GBP",
    "CAD",
    "CHF",
    "AUD",
    "JPY",
    "XBT",
    "ETH",
    "DAI",
    "PYUSD",
    "RLUSD",
)


class _RestTrade(msgspec.Struct, array_like=True):
    price: Positive
    volume: Positive
    time: Decimal
    side: Literal["b", "s"]
    type: str
    misc: str
    id: int

    def trade(self, symbol: str) -> Trade:
        side = "buy" if self.side == "b" else "sell"
        ts = msgspec.convert(int(self.time * 1000), Millis)
        return TRADE(symbol=symbol, ts=ts, id=str(self.id), price=self.price, amount=self.volume, side=side)


class _RestCandle(msgspec.Struct, array_like=True):
    time: Annotated[int, Meta(ge=0)]
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    vwap: NotNegative
    volume: NotNegative
    count: Count

    def candle(self, symbol: str, timeframe: str) -> Candle:
        prices = (self.open, self.high, self.low, self.close)
        return candle(symbol, timeframe, self.time * 1000, prices, self.volume, count=self.count, vwap=self.vwap)


class _Answer(msgspec.Struct):
    error: list[str]
    result: dict[str, msgspec.Raw] = {}


_answer = msgspec.json.Decoder(_Answer)
_rest_trades, _rest_candles = lax(list[_RestTrade]), lax(list[_RestCandle])


class Kraken(Exchange):
    """Spot. The names of markets are those of ccxt; REST has older ones (XBT, XDG)."""

    id = "kraken"
    name = "Kraken spot"
    pages = (
        "https://docs.kraken.com/api/docs/websocket-v2/trade",
        "https://docs.kraken.com/api/docs/websocket-v2/ticker",
        "https://docs.kraken.com/api/docs/websocket-v2/ohlc",
        "https://docs.kraken.com/api/docs/rest-api/get-recent-trades",
        "https://docs.kraken.com/api/docs/rest-api/get-ohlc-data",
    )
    streams = ("trades", "quotes", "candles")
    timeframes = tuple(MINUTES)
    history = tuple(MINUTES)
    trade_ids: TradeIds = "contiguous"
    limits = Limits(
        symbols_per_socket=100,
        messages_per_second=2,
        weight_per_minute=60,  # one public request a second
        candles_per_request=720,
        trades_per_request=1_000,
    )
    heartbeat = Heartbeat(silence_s=15, ping_s=30)
    traps = (
        "A candle (ohlc) is sent only when there is a trade, and never marked as closed: it is let go when the next "
        "one begins or two seconds after its end; a change that comes later gives it again.",
        "The timestamp inside a candle is the end of its interval, interval_begin is its open.",
        "History of candles reaches back 720 candles, whatever since says; older ones have to be made from trades.",
        "A quote is sent on a change of the best price, not of its size alone (event_trigger bbo).",
        "REST writes XBT for BTC and XDG for DOGE, and names the market in its answer as it likes.",
        "Numbers on the socket are no texts; REST gives prices as texts and times as seconds with a fraction.",
    )
    socket_url = "wss://ws.kraken.com/v2"
    rest_url = "https://api.kraken.com"

    def to_exchange(self, symbol: str) -> str:
        """The name on the socket, which is ccxt's."""
        base, slash, quote = symbol.partition("/")
        if not (slash and base and quote) or "/" in quote or ":" in quote:
            raise ValueError(f"{symbol!r} is no market of {self.name}: write it as BTC/USD")
        return symbol

    def from_exchange(self, name: str) -> str:
        """Of the socket (BTC/USD), or of REST (XBTUSD)."""
        if "/" in name:
            return self.to_exchange(name)
        new = {old: one for one, old in OLD_NAMES.items()}
        return "/".join(new.get(part, part) for part in split(name, QUOTES))

    def sockets(self, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str = "1m") -> list[Socket]:
        """As many as the symbols need; a message for each stream."""
        self.asked(symbols, streams, timeframe)
        step = self.limits.symbols_per_socket
        found = []
        for first in range(0, len(symbols), step):
            part = symbols[first : first + step]
            hello = tuple(self._subscribe(stream, part, timeframe) for stream in streams)
            found.append(Socket(self.ws, hello, tuple(part), tuple(streams)))
        return found

    def _subscribe(self, stream: Stream, symbols: Sequence[str], timeframe: str) -> str:
        params: dict[str, Any] = {"channel": CHANNELS[stream], "symbol": list(symbols), "snapshot": stream == "quotes"}
        if stream == "quotes":
            params["event_trigger"] = "bbo"
        elif stream == "candles":
            params["interval"] = MINUTES[timeframe]
        return json.dumps({"method": "subscribe", "params": params})

    def parser(self) -> Parser:
        """For one connection."""
        return KrakenParser()

    def ping(self, now_ms: int) -> str:  # noqa: ARG002 (its ping has no time)
        """A quiet connection is closed after a minute."""
        return '{"method":"ping"}'

    def trades_request(self, after: Trade, until: int) -> Request:  # noqa: ARG002 (a page has no end but its length)
        """From the millisecond of the trade that is known."""
        params = {"pair": self._pair(after.symbol), "since": str(after.ts * 1_000_000 - 1), "count": "1000"}
        return Request(f"{self.rest}/0/public/Trades", params)

    def parse_trades(self, body: bytes, symbol: str) -> list[Trade]:
        """Rows of price, volume, time, side, type, remark, id."""
        rows = self._rows(_rest_trades, body)
        try:
            return [row.trade(symbol) for row in rows]
        except WRONG as error:
            raise ExchangeError(f"{self.id}: a trade of {symbol} cannot be read: {error}") from error

    def candles_request(self, symbol: str, timeframe: str, since: int, until: int) -> Request:  # noqa: ARG002
        """The last 720 candles, as far as they open at or after ``since``."""
        if timeframe not in MINUTES:
            raise ValueError(f"{self.id} has no candles of {timeframe}: it has {', '.join(MINUTES)}")
        params = {"pair": self._pair(symbol), "interval": str(MINUTES[timeframe]), "since": str(since // 1000 - 1)}
        return Request(f"{self.rest}/0/public/OHLC", params)

    def candles_known(self, timeframe: str, since: int, until: int, page: Sequence[Candle]) -> int:  # noqa: ARG002
        """One answer has all that can be had."""
        return until

    def parse_candles(self, body: bytes, symbol: str, timeframe: str) -> list[Candle]:
        """Rows of time, open, high, low, close, vwap, volume, count."""
        rows = self._rows(_rest_candles, body)
        try:
            return [row.candle(symbol, timeframe) for row in rows]
        except WRONG as error:
            raise ExchangeError(f"{self.id}: a candle of {symbol} cannot be read: {error}") from error

    def _pair(self, symbol: str) -> str:
        base, _, quote = self.to_exchange(symbol).partition("/")
        return OLD_NAMES.get(base, base) + OLD_NAMES.get(quote, quote)

    def _rows(self, decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
        """What stands under the market's name, whatever that is, beside ``last``."""
        try:
            answer = _answer.decode(body)
            if answer.error:
                later = any(one.startswith(LATER) for one in answer.error)
                raise (UnreachableError if later else ExchangeError)(f"{self.id}: {', '.join(answer.error)}")
            (rows,) = (value for key, value in answer.result.items() if key != "last")
            return decoder.decode(rows)
        except ExchangeError:
            raise
        except WRONG as error:
            raise ExchangeError(f"{self.id}: an answer that cannot be read ({error}): {body[:200]!r}") from error
