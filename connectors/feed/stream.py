"""The records of one kind of one symbol, in order and without holes, and the questions that this takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connectors.exchanges.interface import Exchange, ExchangeError, Request
from connectors.feed.hole import Hole, Record
from connectors.feed.numbered import Numbered
from connectors.feed.unnumbered import Unnumbered
from schemas.timeframe import to_millis

Kind = Literal["trades", "candles"]
Key = tuple[Kind, str]
MOST_PAGES = 200


@dataclass(frozen=True, slots=True)
class Ask:
    """A page of history to ask for: trades after one that is known, or candles, up to an epoch ms."""

    kind: Kind
    symbol: str
    until: int
    after: Record = None  # the trade
    since: int = 0  # when the first candle opens, epoch ms
    timeframe: str = ""

    def request(self, exchange: Exchange) -> Request:
        """The request. Raises ValueError when the exchange has no such history."""
        if self.kind == "trades":
            return exchange.trades_request(self.after, self.until)
        return exchange.candles_request(self.symbol, self.timeframe, self.since, self.until)


class Stream:
    """One kind of records of one symbol; candles are of ``timeframe``."""

    def __init__(self, exchange: Exchange, kind: Kind, symbol: str, timeframe: str = "") -> None:
        self.kind, self.symbol, self._timeframe = kind, symbol, timeframe
        self._exchange = exchange
        self._numbered = kind == "candles" or exchange.trade_ids == "contiguous"
        self.order: Numbered | Unnumbered = Numbered(sparse=kind == "candles") if self._numbered else Unnumbered()
        self._pages: list[list[Record]] = []
        self._ask: Ask | None = None

    @property
    def hole(self) -> Hole:
        """Where something is missing."""
        return self.order.hole

    def expect(self, now_ms: int) -> None:
        """Candles are sent from now on (epoch ms, the exchange's time): one that is missed is known to be missing."""
        if isinstance(self.order, Numbered) and self.order.next is None:
            self.order.next = now_ms // to_millis(self._timeframe) + 1

    def offer(self, record: Record, ns: int) -> list[Record]:
        """A record came on the socket. Returns those that may go on."""
        if isinstance(self.order, Numbered):
            return self.order.offer(self._number(record), record, ns)
        return self.order.offer(record, ns)

    def due(self, ns: int, now_ms: int) -> tuple[list[Record], Ask | None]:
        """What a hole that is due wants: to let records go, or a question. ``now_ms`` is the exchange's time."""
        if isinstance(self.order, Numbered) and self.order.next is None:
            return self.order.begin(ns), None
        if self.hole.over(ns) or not self._has_history:
            return self.order.give_up(ns), None
        if not self.hole.ask(ns):
            return [], None
        self._pages = []
        if isinstance(self.order, Numbered) and self.order.next is not None and self.kind == "candles":
            self._ask = self._candles_after(self.order.next - 1, now_ms + 1)
        else:
            self._ask = Ask("trades", self.symbol, now_ms + 1, after=self.order.last)
        return [], self._ask

    def _candles_after(self, number: int, until: int) -> Ask:
        since = number * to_millis(self._timeframe)
        return Ask("candles", self.symbol, until, since=since, timeframe=self._timeframe)

    def answer(self, body: bytes, ns: int) -> tuple[list[Record], Ask | None]:
        """A page came. Returns what may go on, and the next page to ask for. Raises ExchangeError when it is none."""
        ask = self._ask
        if ask is None or not self.hole.asking:
            return [], None
        page, rest = self._trades(ask, body) if self.kind == "trades" else self._candles(ask, body)
        self._pages.append(page)
        if rest is not None and len(self._pages) < MOST_PAGES and not self.hole.over(ns):
            self._ask = rest
            return [], rest
        if self.kind == "trades" and self._exchange.pages_from == "newest":
            self._pages.reverse()
        found = [record for one in self._pages for record in one]
        self._ask, self._pages = None, []
        if isinstance(self.order, Numbered):
            return self.order.answer([(self._number(record), record) for record in found], ns), None
        return self.order.answer(found, ns), None

    def _trades(self, ask: Ask, body: bytes) -> tuple[list[Record], Ask | None]:
        page = self._exchange.parse_trades(body, self.symbol)
        rest = self._exchange.next_page(ask.after, ask.until, page)
        return list(page), rest and Ask("trades", self.symbol, rest[1], after=rest[0])

    def _candles(self, ask: Ask, body: bytes) -> tuple[list[Record], Ask | None]:
        found = self._exchange.parse_candles(body, self.symbol, ask.timeframe)
        page: list[Record] = [candle for candle in found if candle.ts < ask.until]  # others are still open
        more = len(found) >= self._exchange.limits.candles_per_request and page and page[-1].ts > ask.since
        return page, self._candles_after(self._number(page[-1]), ask.until) if more else None

    def failed(self, ns: int) -> list[Record]:
        """There was no answer. Returns what is given free with it."""
        if self._ask is None or not self.hole.asking:
            return []
        self._ask, self._pages = None, []
        return self.order.failed(ns)

    @property
    def _has_history(self) -> bool:
        if self.kind == "trades":
            return self.order.last is not None and self._exchange.limits.trades_per_request > 0
        return self._timeframe in self._exchange.history

    def _number(self, record: Record) -> int:
        """Trades by their id; candles by how many of their length there were since 1970."""
        try:
            return int(record.id) if self.kind == "trades" else record.ts // to_millis(record.timeframe)
        except ValueError:
            raise ExchangeError(f"{self._exchange.id}: the id {record.id!r} of a trade is no number") from None
