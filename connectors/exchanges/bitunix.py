"""Bitunix, futures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from connectors.exchanges.bitunix_frames import KLINE, LENGTHS, BitunixParser
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
    UnreachableError,
)
from connectors.exchanges.records import NotNegative, Positive, candle, lax, split
from schemas.candle import Candle
from schemas.timeframe import to_millis
from schemas.trade import Trade

SETTLED = ("USDT", "USDC")
HISTORY = ("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
LATER = (10001, 10005, 10006)
"""Codes of what is gone after a while (a network error, too many requests); they come with status 200."""
HELLO = 100  # subscriptions in one message


class _Row(msgspec.Struct):
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    time: Annotated[int, Meta(ge=0, le=1 << 53)]
    quoteVol: NotNegative  # noqa: N815 (the exchange's name, for the volume in the base currency)
    baseVol: NotNegative  # noqa: N815 (and for that in the quote currency)

    def candle(self, symbol: str, timeframe: str) -> Candle:
        prices = (self.open, self.high, self.low, self.close)
        return candle(symbol, timeframe, self.time, prices, self.quoteVol, quote_volume=self.baseVol)


class _Answer(msgspec.Struct):
    code: int
    msg: str = ""
    data: list[_Row] | None = None


_answer = lax(_Answer)


class Bitunix(Exchange):
    """Linear futures. There is no test network, and no history of trades."""

    id = "bitunix"
    name = "Bitunix futures"
    pages = (
        "https://openapidoc.bitunix.com/doc/websocket/prepare/WebSocket.html",
        "https://openapidoc.bitunix.com/doc/market/get_kline.html",
        "https://openapidoc.bitunix.com/doc/common/sign.html",
    )
    streams = ("trades", "quotes", "candles")
    timeframes = tuple(LENGTHS)
    history = HISTORY
    trade_ids: TradeIds = "none"
    limits = Limits(
        symbols_per_socket=100,  # of 300 subscriptions, three a symbol
        messages_per_second=4,  # of 5, pings count, too
        weight_per_minute=600,  # ten requests a second
        candles_per_request=200,
        trades_per_request=0,
    )
    heartbeat = Heartbeat(silence_s=15, ping_s=5)
    traps = (
        "A candle has no open time and no mark of its end: its open is the time of the message, cut down to the "
        "timeframe; it is let go when the next one begins or two seconds after its end by the exchange's own time.",
        "Trades have no ids: they get one of time, side, price, amount and a count within the millisecond. What a "
        "broken connection missed, no request brings back, and nothing shows how much it was.",
        "In history quoteVol is the amount in the base currency and baseVol that in the quote currency; on the socket "
        "b and q are what their names say.",
        "History comes newest first, 200 candles at most.",
        "A market that does not exist is not refused: its order book has empty texts.",
        "Ping is a message of its own ({op: ping} with the time in seconds); the answer has op ping, too, and a pong.",
    )
    socket_url = "wss://fapi.bitunix.com/public/"
    rest_url = "https://fapi.bitunix.com"

    def to_exchange(self, symbol: str) -> str:
        """BTC/USDT:USDT is BTCUSDT."""
        name = symbol.partition(":")[0].replace("/", "", 1)
        if ":" not in symbol or self.from_exchange(name) != symbol:
            raise ValueError(f"{symbol!r} is no market of {self.name}: write it as BTC/USDT:USDT")
        return name

    def from_exchange(self, name: str) -> str:
        """BTCUSDT is BTC/USDT:USDT."""
        base, quote = split(name, SETTLED)
        return f"{base}/{quote}:{quote}"

    def sockets(self, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str = "1m") -> list[Socket]:
        """As many as the symbols need."""
        self.asked(symbols, streams, timeframe)
        names = {
            "trades": "trade",
            "quotes": "depth_book1",
            "candles": KLINE + LENGTHS.get(timeframe, ""),
        }
        step = self.limits.symbols_per_socket
        found = []
        for first in range(0, len(symbols), step):
            part = symbols[first : first + step]
            args = [{"symbol": self.to_exchange(one), "ch": names[stream]} for one in part for stream in streams]
            hello = tuple(
                json.dumps({"op": "subscribe", "args": args[start : start + HELLO]})
                for start in range(0, len(args), HELLO)
            )
            found.append(Socket(self.ws, hello, tuple(part), tuple(streams)))
        return found

    def parser(self) -> Parser:
        """For one connection."""
        return BitunixParser(self)

    def ping(self, now_ms: int) -> str:
        """With the time in seconds."""
        return json.dumps({"op": "ping", "ping": now_ms // 1000})

    def trades_request(self, after: Trade, until: int) -> Request:  # noqa: ARG002
        """Always ValueError: there is no history of trades."""
        raise ValueError(f"{self.id} has no history of trades")

    def parse_trades(self, body: bytes, symbol: str) -> list[Trade]:  # noqa: ARG002
        """Always ExchangeError: there is no history of trades."""
        raise ExchangeError(f"{self.id} has no history of trades")

    def candles_request(self, symbol: str, timeframe: str, since: int, until: int) -> Request:
        """A stretch of 200 candles: of a longer one the newest would come."""
        if timeframe not in self.history:
            raise ValueError(f"{self.id} has no candles of {timeframe}: it has {', '.join(self.history)}")
        params = {"symbol": self.to_exchange(symbol), "interval": timeframe, "type": "LAST_PRICE"}
        end = self.candles_known(timeframe, since, until, ())
        params |= {"startTime": str(since), "endTime": str(end - 1), "limit": str(self.limits.candles_per_request)}
        return Request(f"{self.rest}/api/v1/futures/market/kline", params)

    def candles_known(self, timeframe: str, since: int, until: int, page: Sequence[Candle]) -> int:  # noqa: ARG002
        """The stretch that was asked for, whatever came of it."""
        return min(until, since + self.limits.candles_per_request * to_millis(timeframe))

    def parse_candles(self, body: bytes, symbol: str, timeframe: str) -> list[Candle]:
        """Sorted: they come newest first."""
        try:
            answer = _answer.decode(body)
            if answer.code != 0:
                raise (UnreachableError if answer.code in LATER else ExchangeError)(
                    f"{self.id}: {answer.msg} (code {answer.code})"
                )
            made = [row.candle(symbol, timeframe) for row in answer.data or ()]
        except ExchangeError:
            raise
        except WRONG as error:
            raise ExchangeError(f"{self.id}: an answer that cannot be read ({error}): {body[:200]!r}") from error
        return sorted(made, key=lambda one: one.ts)
