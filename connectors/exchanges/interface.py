"""What an exchange is to the rest of the house: what to connect to, what to send, what its answers mean.

Nothing here opens a connection. Whoever does asks an :class:`Exchange` for its sockets, sends each ``hello``, gives
every frame to the :class:`Parser` of that connection, and sends :meth:`Exchange.ping` when :class:`Heartbeat` says so.
So a recording is parsed by the very same code as a live feed, and tests need no network.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from schemas.candle import Candle
from schemas.quote import Quote
from schemas.trade import Trade
from schemas.wire import wire

TRADE, QUOTE, CANDLE = wire(Trade), wire(Quote), wire(Candle)
"""What parsers make: the fast form of the records. Ask ``isinstance(one, TRADE)``."""

Stream = Literal["trades", "quotes", "candles"]
STREAMS: tuple[Stream, ...] = ("trades", "quotes", "candles")

Kind = Literal["subscribed", "heartbeat", "gap", "ignored", "error", "unparsed"]
WRONG = (msgspec.MsgspecError, ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError)
"""What reading a message that is not as expected can raise."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a frame says that is no record.

    ``subscribed``: the exchange took a subscription. ``heartbeat``: it is alive. ``gap``: its own numbers say that
    messages of this connection were lost. ``ignored``: known, and left out on purpose. ``error``: it refuses something.
    ``unparsed``: nothing that we know; to be counted and looked at.
    """

    kind: Kind
    why: str
    ts: int | None = None  # the exchange's own time in epoch ms, when the frame tells it
    symbol: str | None = None  # whom it concerns; None: the whole connection


Parsed: TypeAlias = Trade | Quote | Candle | Notice


class ExchangeError(ValueError):
    """An exchange refused a request, or answered what we cannot read. The message has its own words."""


class UnreachableError(ExchangeError):
    """An exchange did not answer, or not now: the same request may be answered later."""


class Parser(ABC):
    """Reads the frames of one connection, in the order in which they came. A new connection takes a new parser.

    It may remember: a candle whose end the exchange does not announce, the last sequence number.
    """

    def parse(self, frame: bytes, received_ns: int) -> list[Parsed]:
        """What a frame says, in its order; never empty, never raises.

        ``received_ns`` (epoch ns) is the time of a quote whose exchange gives none, and ends candles that nobody ends.
        """
        try:
            return self.read(frame, received_ns) or [Notice("ignored", "nothing in it")]
        except WRONG as error:
            return [Notice("unparsed", f"{error or type(error).__name__}: {frame[:200].decode(errors='replace')}")]

    @abstractmethod
    def read(self, frame: bytes, received_ns: int) -> list[Parsed]:
        """As :meth:`parse`, but may raise what is in :data:`WRONG`; nothing is remembered of a frame that raises."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A connection to make: connect to ``url``, send each of ``hello`` as a text, then read."""

    url: str
    hello: tuple[str, ...]
    symbols: tuple[str, ...]
    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A GET request: ``params`` go into the query. ``weight`` is what it takes of :attr:`Limits.weight_per_minute`."""

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When to send :meth:`Exchange.ping` (None: never), and after how long a silence a connection counts as dead."""

    silence_s: float
    ping_s: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the exchange allows, and what a page of its history holds at most."""

    symbols_per_socket: int
    messages_per_second: float  # of ours, on one connection
    weight_per_minute: int  # of requests, together
    candles_per_request: int
    trades_per_request: int  # 0: it has no history of trades
    lifetime_s: float | None = None  # it closes a connection after so long


TradeIds = Literal["contiguous", "increasing", "none"]


class Exchange(ABC):
    """An exchange, described. ``urls`` of the real one stand in the class; tests give others.

    ``trade_ids``: ``contiguous`` ids grow by one within a symbol, so that a hole shows in them and its size is known;
    ``increasing`` only grow; ``none`` tell nothing, as those that are made by us of the trade.
    """

    id: str
    name: str
    pages: tuple[str, ...]  # the documentation that the code follows
    streams: tuple[Stream, ...]
    timeframes: tuple[str, ...]  # of the stream ``candles``
    history: tuple[str, ...]  # timeframes of candles_request
    trade_ids: TradeIds
    pages_from: Literal["oldest", "newest"] = "oldest"  # of a hole's trades: what the first page holds
    limits: Limits
    heartbeat: Heartbeat
    traps: tuple[str, ...]  # what surprises; a sentence each
    socket_url: str
    rest_url: str

    def __init__(self, *, socket_url: str | None = None, rest_url: str | None = None) -> None:
        self.ws = socket_url or self.socket_url
        self.rest = rest_url or self.rest_url

    @abstractmethod
    def to_exchange(self, symbol: str) -> str:
        """The exchange's name of a market; ValueError when it cannot be one of this exchange."""

    @abstractmethod
    def from_exchange(self, name: str) -> str:
        """The market as ccxt writes it; ValueError when the name cannot be read."""

    @abstractmethod
    def sockets(self, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str = "1m") -> list[Socket]:
        """The connections that carry these streams of these symbols; ``timeframe`` is that of ``candles``.

        ValueError for a symbol, a stream or a timeframe that the exchange does not have.
        """

    @abstractmethod
    def parser(self) -> Parser:
        """Reads one connection, or one recording of it."""

    def ping(self, now_ms: int) -> str | None:  # noqa: ARG002 (for those that want the time in it)
        """The text to send every ``heartbeat.ping_s``; None where the websocket's own pings do."""
        return None

    @abstractmethod
    def trades_request(self, after: Trade, until: int) -> Request:
        """A page of the trades after one that is known, up to the epoch ms ``until``; known ones may come again.

        ValueError when the exchange has no history of trades.
        """

    @abstractmethod
    def parse_trades(self, body: bytes, symbol: str) -> list[Trade]:
        """The trades of an answer to :meth:`trades_request`, oldest first. Raises ExchangeError."""

    def next_page(self, after: Trade, until: int, page: Sequence[Trade]) -> tuple[Trade, int] | None:
        """What to ask :meth:`trades_request` for after this page of the same hole; None: that was all of it."""
        if len(page) < self.limits.trades_per_request:
            return None
        rest = (page[-1], until) if self.pages_from == "oldest" else (after, page[0].ts)
        return None if rest == (after, until) or rest[0].ts > rest[1] else rest

    @abstractmethod
    def candles_request(self, symbol: str, timeframe: str, since: int, until: int) -> Request:
        """Candles that open in [since, until) (epoch ms), of which the answer may hold a part: a page.

        ValueError for a timeframe that is not in ``history``.
        """

    @abstractmethod
    def parse_candles(self, body: bytes, symbol: str, timeframe: str) -> list[Candle]:
        """The candles of an answer, oldest first; one whose ``ts`` is not yet past is open. Raises ExchangeError."""

    def candles_known(self, timeframe: str, since: int, until: int, page: Sequence[Candle]) -> int:  # noqa: ARG002
        """Up to which epoch ms the answer to :meth:`candles_request` speaks; ``page`` is what it has of [since, until).

        Here: it begins with the first candle there is, so that an empty one says that there are none up to ``until``.
        """
        return page[-1].ts if page else until

    def asked(self, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str) -> None:
        """Raise ValueError for what :meth:`sockets` cannot give."""
        for symbol in symbols:
            self.to_exchange(symbol)
        for stream in streams:
            if stream not in self.streams:
                raise ValueError(f"{self.id} has no stream {stream!r}: it has {', '.join(self.streams) or 'none'}")
        if "candles" in streams and timeframe not in self.timeframes:
            raise ValueError(
                f"{self.id} streams no candles of {timeframe}: it has {', '.join(self.timeframes)} (--timeframe)"
            )


class Watched(Exchange):
    """An exchange whose connections another library makes. Its sockets and requests have addresses that only it knows.

    The frames are made here, one for each answer of the library, so that they are recorded and parsed as all others.
    """

    @abstractmethod
    def frames(self, socket: Socket) -> AsyncIterator[bytes]:
        """The frames of one of :meth:`sockets`, for ever. Raises ExchangeError when it cannot go on."""

    @abstractmethod
    async def get(self, request: Request) -> bytes:
        """The answer to a request. Raises ExchangeError."""

    @abstractmethod
    async def close(self) -> None:
        """Close all connections."""
