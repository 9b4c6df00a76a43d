"""Binance, futures margined in USDT or USDC (USD-M)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from connectors.exchanges.binance import Binance
from connectors.exchanges.interface import TRADE, Limits, Request, Socket, Stream
from connectors.exchanges.records import Millis, Positive, lax, split
from schemas.trade import Trade

SETTLED = ("USDT", "USDC", "USD1", "BTC")
_DATED = re.compile(r"_(\d{6})$")


class _AggTrade(msgspec.Struct):
    a: int
    p: Positive
    q: Positive
    T: Millis
    m: bool


_history = lax(list[_AggTrade])


class BinanceUsdm(Binance):
    """Futures. Trades are aggregated ones: those of one taker at one price within 100 ms are one."""

    id = "binanceusdm"
    name = "Binance USD-M futures"
    pages = (
        "https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams",
        "https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api",
    )
    timeframes = tuple(frame for frame in Binance.timeframes if frame != "1s")
    history = timeframes
    limits = Limits(
        symbols_per_socket=60,  # of 200 streams, three a symbol
        messages_per_second=8,  # of 10, for pongs count, too
        weight_per_minute=2_400,
        candles_per_request=1_000,
        trades_per_request=1_000,
        lifetime_s=86_400,
    )
    traps = (
        "m says that the buyer was the maker: m true is a trade whose taker sold.",
        "Trades are aggregated (aggTrade): one taker's fills at one price within 100 ms are one, so counts are lower "
        "than those of candles. Single trades are not documented as a stream.",
        "Quotes come from another address (/public) than trades and candles (/market); on the wrong one nothing "
        "comes, and nothing is said.",
        "A connection is closed after 24 hours; pings of the server every three minutes are to be answered.",
        "A dated future is BTCUSDT_260327, in ccxt's words BTC/USDT:USDT-260327.",
    )
    socket_url = "wss://fstream.binance.com"
    rest_url = "https://fapi.binance.com"
    api: str = "/fapi/v1"
    trade_event: str = "aggTrade"
    candles_weight: int = 5

    def to_exchange(self, symbol: str) -> str:
        """BTC/USDT:USDT is BTCUSDT."""
        pair, _, settled = symbol.partition(":")
        _, dash, date = settled.partition("-")
        name = pair.replace("/", "", 1) + (f"_{date}" if dash else "")
        if not settled or self.from_exchange(name) != symbol:
            raise ValueError(f"{symbol!r} is no market of {self.name}: write it as BTC/USDT:USDT")
        return name

    def from_exchange(self, name: str) -> str:
        """BTCUSDT is BTC/USDT:USDT."""
        dated = _DATED.search(name)
        base, quote = split(name[: dated.start()] if dated else name, SETTLED)
        return f"{base}/{quote}:{quote}" + (f"-{dated[1]}" if dated else "")

    def sockets(self, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str = "1m") -> list[Socket]:
        """Two kinds: quotes have their own address."""
        self.asked(symbols, streams, timeframe)
        step = self.limits.symbols_per_socket
        kinds = (("/public/stream", ("quotes",)), ("/market/stream", ("trades", "candles")))
        return [
            self.socket(path, symbols[first : first + step], wanted, timeframe)
            for path, kind in kinds
            if (wanted := [stream for stream in streams if stream in kind])
            for first in range(0, len(symbols), step)
        ]

    def trades_request(self, after: Trade, until: int) -> Request:  # noqa: ARG002 (it goes by ids)
        """By id; 20 of weight each."""
        params = {"symbol": self.to_exchange(after.symbol), "fromId": str(int(after.id) + 1), "limit": "1000"}
        return Request(f"{self.rest}{self.api}/aggTrades", params, weight=20)

    def parse_trades(self, body: bytes, symbol: str) -> list[Trade]:
        """Of aggTrades."""
        return [
            TRADE(symbol=symbol, ts=row.T, id=str(row.a), price=row.p, amount=row.q, side="sell" if row.m else "buy")
            for row in self.answer(_history, body)
        ]
