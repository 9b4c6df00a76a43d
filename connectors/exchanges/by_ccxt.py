"""Any exchange that ccxt knows, through ccxt: its own sockets (``ccxt.pro``) and its own requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import ccxt.async_support
import ccxt.pro
import msgspec

from connectors.exchanges.by_ccxt_frames import CcxtParser, Deal, Row, failure, frame
from connectors.exchanges.interface import (
    WRONG,
    ExchangeError,
    Heartbeat,
    Limits,
    Parser,
    Request,
    Socket,
    Stream,
    UnreachableError,
    Watched,
)
from schemas.candle import Candle
from schemas.timeframe import to_millis
from schemas.trade import Trade

SCHEME = "ccxt:"
AGAIN_S = 1.0
LONGEST = 300  # characters of what ccxt says
PAGE, CAREFUL = 1_000, 100

_deals, _rows = msgspec.json.Decoder(list[Deal]), msgspec.json.Decoder(list[Row])


class ByCcxt(Watched):
    """An exchange by its name in ccxt. ``client``: one of ccxt's objects, set up otherwise."""

    trade_ids = "none"
    heartbeat = Heartbeat(silence_s=120)
    pages = ("https://docs.ccxt.com",)
    socket_url = rest_url = SCHEME
    traps = (
        "A candle has no mark of its end: it is let go when the next one begins or two seconds after its end; a "
        "change that comes later gives it again.",
        "A trade whose taker the exchange does not tell cannot be read. Where trades have no ids, two "
        "that are alike in the same millisecond count as one.",
        "What a broken connection missed shows in nothing: the trades since are asked for once it stands again, as "
        "far as the exchange has a history of them.",
        "ccxt keeps the connections, their pings and the limits of requests itself.",
    )

    def __init__(self, name: str, client: Any = None) -> None:
        super().__init__()
        if client is None:
            module = ccxt.pro if name in ccxt.pro.exchanges else ccxt.async_support  # the latter has no streams
            client = getattr(module, name)({"enableRateLimit": True, "newUpdates": True})
        self._ccxt = client
        has = self._ccxt.has
        self._quotes = "watch_bids_asks" if has.get("watchBidsAsks") else "watch_ticker"
        able = {"trades": has.get("watchTrades"), "quotes": has.get("watchBidsAsks") or has.get("watchTicker")}
        able["candles"] = has.get("watchOHLCV")
        self.id, self.name = name, f"{self._ccxt.name or name}, by ccxt"
        self.streams = tuple(stream for stream in ("trades", "quotes", "candles") if able[stream])
        self.timeframes = tuple(one for one in self._ccxt.timeframes or () if _has_length(one))
        self.history = self.timeframes if has.get("fetchOHLCV") else ()
        self.limits = Limits(
            symbols_per_socket=100,
            messages_per_second=1,
            weight_per_minute=max(1, int(60_000 / max(self._ccxt.rateLimit or 1_000, 1))),
            candles_per_request=self._page(),
            trades_per_request=PAGE if has.get("fetchTrades") else 0,
        )

    def _page(self) -> int:
        """How many candles an answer may have in every kind of market, as far as ccxt knows; else 100."""
        kinds = (("spot", None), ("swap", "linear"), ("swap", "inverse"), ("future", "linear"), ("future", "inverse"))
        found = [self._ccxt.feature_value_by_type(*kind, "fetchOHLCV", "limit") for kind in kinds]
        return min((PAGE, *(int(one) for one in found if one))) if any(found) else CAREFUL

    def to_exchange(self, symbol: str) -> str:
        """The names are ccxt's already; which ones there are, only the exchange can say."""
        if "/" not in symbol:
            raise ValueError(f"{symbol!r} is no market of {self.name}: write it as BTC/USDT or BTC/USDT:USDT")
        return symbol

    def from_exchange(self, name: str) -> str:
        """The same."""
        return name

    def sockets(self, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str = "1m") -> list[Socket]:
        """One, whose address names the timeframe: ccxt makes the real ones."""
        self.asked(symbols, streams, timeframe)
        return [Socket(f"{SCHEME}{timeframe}", (), tuple(symbols), tuple(streams))]

    def parser(self) -> Parser:
        """For one run of :meth:`frames`."""
        return CcxtParser()

    async def frames(self, socket: Socket) -> AsyncIterator[bytes]:
        """All streams of all symbols, as they come. A connection that ccxt lost is a frame, too; ccxt makes it anew."""
        timeframe = socket.url.removeprefix(SCHEME)
        came: asyncio.Queue[bytes | Exception] = asyncio.Queue()
        tasks = [
            asyncio.create_task(self._watch(stream, symbol, timeframe, came))
            for symbol in socket.symbols
            for stream in socket.streams
        ]
        try:
            while True:
                one = await came.get()
                if isinstance(one, Exception):
                    raise ExchangeError(f"{self.id}: {one}") from one
                yield one
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, stream: Stream, symbol: str, timeframe: str, came: asyncio.Queue[bytes | Exception]) -> None:
        while True:
            try:
                if stream == "trades":
                    answer = await self._ccxt.watch_trades(symbol)
                elif stream == "candles":
                    answer = await self._ccxt.watch_ohlcv(symbol, timeframe)
                elif self._quotes == "watch_bids_asks":
                    answer = (await self._ccxt.watch_bids_asks([symbol]))[symbol]
                else:
                    answer = await self._ccxt.watch_ticker(symbol)
                came.put_nowait(frame(stream, symbol, timeframe, answer))
            except ccxt.NetworkError as lost:
                came.put_nowait(failure(stream, symbol, lost))
                await asyncio.sleep(AGAIN_S)
            except Exception as error:  # of ccxt, or of what it gave: for whoever reads the frames
                came.put_nowait(error)
                return

    def trades_request(self, after: Trade, until: int) -> Request:  # noqa: ARG002 (a page has no end but its length)
        """From the time of the trade that is known."""
        if not self.limits.trades_per_request:
            raise ValueError(f"{self.id} has no history of trades")
        return Request(f"{SCHEME}trades", {"symbol": after.symbol, "since": str(after.ts)})

    def next_page(self, after: Trade, until: int, page: Sequence[Trade]) -> tuple[Trade, int] | None:
        """The pages of exchanges differ in length: the last one is the one with nothing new."""
        return (page[-1], until) if page and after.ts < page[-1].ts < until else None

    def parse_trades(self, body: bytes, symbol: str) -> list[Trade]:  # noqa: ARG002 (they have it themselves)
        """Of ccxt's fetch_trades."""
        try:
            return sorted((one.trade() for one in _deals.decode(body)), key=lambda one: one.ts)
        except WRONG as error:
            raise ExchangeError(f"{self.id}: an answer that cannot be read ({error}): {body[:200]!r}") from error

    def candles_known(self, timeframe: str, since: int, until: int, page: Sequence[Candle]) -> int:
        """Some exchanges answer with the first candles there are, others with those of a stretch, which may be none."""
        return page[-1].ts if page else min(until, since + self.limits.candles_per_request * to_millis(timeframe))

    def candles_request(self, symbol: str, timeframe: str, since: int, until: int) -> Request:  # noqa: ARG002
        """From ``since`` on; how many come, the exchange decides."""
        if timeframe not in self.history:
            raise ValueError(f"{self.id} has no candles of {timeframe}: it has {', '.join(self.history) or 'none'}")
        return Request(f"{SCHEME}candles", {"symbol": symbol, "timeframe": timeframe, "since": str(since)})

    def parse_candles(self, body: bytes, symbol: str, timeframe: str) -> list[Candle]:
        """Of ccxt's fetch_ohlcv."""
        try:
            made = [row.candle(symbol, timeframe) for row in _rows.decode(body)]
        except WRONG as error:
            raise ExchangeError(f"{self.id}: an answer that cannot be read ({error}): {body[:200]!r}") from error
        return sorted(made, key=lambda one: one.ts)

    async def get(self, request: Request) -> bytes:
        """Ask through ccxt."""
        params = request.params
        symbol, since = params["symbol"], int(params["since"])
        try:
            if request.url == f"{SCHEME}trades":
                deals = await self._ccxt.fetch_trades(symbol, since, PAGE)
                wanted = Deal.__struct_fields__
                return msgspec.json.encode([{name: one.get(name) for name in wanted} for one in deals])
            most = self.limits.candles_per_request
            return msgspec.json.encode(await self._ccxt.fetch_ohlcv(symbol, params["timeframe"], since, most))
        except ccxt.BaseError as error:
            kind = UnreachableError if isinstance(error, ccxt.NetworkError) else ExchangeError
            why = f": {error.__cause__}" if error.__cause__ else ""  # ccxt itself names the address only
            raise kind(f"{self.id}: {' '.join(f'{error}{why}'.split())[:LONGEST]}") from error

    async def close(self) -> None:
        """Close ccxt's connections."""
        await self._ccxt.close()


def _has_length(timeframe: str) -> bool:
    try:
        to_millis(timeframe)
    except ValueError:
        return False  # a month, or a year
    return True
