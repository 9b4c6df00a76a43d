"""The records of one kind of one symbol, in order and without holes, and the questions that this takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
    """A page of history to ask for: the records of a symbol after one that is known, up to an epoch ms."""

    kind: Kind
    symbol: str
    after: Any  # the record
    until: int

    def request(self, exchange: Exchange) -> Request:
        """The request. Raises ValueError when the exchange has no such history."""
        if self.kind == "trades":
            return exchange.trades_request(self.after, self.until)
        return exchange.candles_request(self.symbol, self.after.timeframe, self.after.ts, self.until)


class Stream:
    """One kind of records of one symbol."""

    def __init__(self, exchange: Exchange, kind: Kind, symbol: str) -> None:
        self.kind, self.symbol = kind, symbol
        self._exchange = exchange
        self._numbered = kind == "candles" or exchange.trade_ids == "contiguous"
        self.order: Numbered | Unnumbered = Numbered(sparse=kind == "candles") if self._numbered else Unnumbered()
        self._pages: list[list[Record]] = []
        self._ask: Ask | None = None

    @property
    def hole(self) -> Hole:
        """Where something is missing."""
        return self.order.hole

    def offer(self, record: Record, ns: int) -> list[Record]:
        """A record came on the socket. Returns those that may go on."""
        if isinstance(self.order, Numbered):
            return self.order.offer(self._number(record), record, ns)
        return self.order.offer(record, ns)

    def due(self, ns: int, now_ms: int) -> tuple[list[Record], Ask | None]:
        """What a hole that is due wants: to let records go, or a question. ``now_ms`` is the exchange's time."""
        if self.hole.over(ns) or not self._has_history:
            return self.order.give_up(ns), None
        if not self.hole.ask(ns):
            return [], None
        self._pages = []
        self._ask = Ask(self.kind, self.symbol, self.order.last, now_ms + 1)
        return [], self._ask

    def answer(self, body: bytes, ns: int) -> tuple[list[Record], Ask | None]:
        """A page came. Returns what may go on, and the next page to ask for. Raises ExchangeError when it is none."""
        ask = self._ask
        if ask is None or not self.hole.asking:
            return [], None
        page: Sequence[Record]
        if self.kind == "trades":
            page = self._exchange.parse_trades(body, self.symbol)
            rest = self._exchange.next_page(ask.after, ask.until, page)
        else:
            found = self._exchange.parse_candles(body, self.symbol, ask.after.timeframe)
            page = [candle for candle in found if candle.ts < ask.until]  # others are still open
            more = len(found) >= self._exchange.limits.candles_per_request and page[-1:] and page[-1].ts < ask.until
            rest = (page[-1], ask.until) if more else None
        self._pages.append(list(page))
        if rest is not None and len(self._pages) < MOST_PAGES and not self.hole.over(ns):
            self._ask = Ask(self.kind, self.symbol, *rest)
            return [], self._ask
        if self.kind == "trades" and self._exchange.pages_from == "newest":
            self._pages.reverse()
        found = [record for one in self._pages for record in one]
        self._ask, self._pages = None, []
        if isinstance(self.order, Numbered):
            return self.order.answer([(self._number(record), record) for record in found], ns), None
        return self.order.answer(found, ns), None

    def failed(self, ns: int) -> list[Record]:
        """There was no answer. Returns what is given free with it."""
        if self._ask is None or not self.hole.asking:
            return []
        self._ask, self._pages = None, []
        return self.order.failed(ns)

    @property
    def _has_history(self) -> bool:
        if self.order.last is None:
            return False
        if self.kind == "trades":
            return self._exchange.limits.trades_per_request > 0
        return self.order.last.timeframe in self._exchange.history

    def _number(self, record: Record) -> int:
        """Trades by their id; candles by how many of their length there were since 1970."""
        try:
            return int(record.id) if self.kind == "trades" else record.ts // to_millis(record.timeframe)
        except ValueError:
            raise ExchangeError(f"{self._exchange.id}: the id {record.id!r} of a trade is no number") from None
