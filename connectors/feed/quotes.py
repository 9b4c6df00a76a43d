"""The quotes of a feed by the second: what was known of a market at the close of a candle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from typing import Any

from msgspec.structs import replace

from schemas.candle import Candle
from schemas.quote import Quote
from schemas.wire import wire

QUOTE = wire(Quote)
SECOND = 1_000
_replaced: Any = replace  # records here are structs (schemas.wire)
STANDS_S = 10
"""So long a quote is what is known, seconds: an exchange says changes only, but a connection may be gone."""
KEPT = 180
"""Seconds with quotes that are remembered of a market: a candle that was missed comes a minute or two later."""


class Quotes:
    """The newest quote of each market in each second, by the exchange's time.

    Candles close on whole seconds, so these are all that a candle can ask for.

    >>> quotes = Quotes()
    >>> for ts in (59_100, 59_900, 60_001):
    ...     quotes.see(QUOTE(symbol="BTC/USDT", ts=ts, bid=1.0, ask=2.0, bid_size=0.0, ask_size=0.0), 0, None)
    >>> [quote.ts for quote in quotes.upto(60_500, {"BTC/USDT"})]
    [59900]
    """

    def __init__(self) -> None:
        # By the second that ends with it or behind it, with its time.
        self._of: defaultdict[str, dict[int, tuple[int, Quote]]] = defaultdict(dict)
        self._told: dict[str, int] = {}  # the second up to which a market's quotes were told

    def see(self, quote: Quote, ns: int, skew: int | None) -> None:
        """A quote came at an epoch ns by our clock, which ``skew`` ms are to be added to for the exchange's.

        Where an exchange says no time of a quote, its parser took that of reception by our clock: here all are by the
        exchange's, as trades and candles are. An older one than is known of its second changes nothing.
        """
        ts = quote.ts
        if skew and ts == ns // 1_000_000:
            ts += skew
        of, second = self._of[quote.symbol], -(-ts // SECOND)
        known = of.get(second)
        if known is None or known[0] <= ts:
            of[second] = ts, quote
            if len(of) > KEPT:
                del of[min(of)]

    def at(self, symbol: str, ts: int) -> Quote | None:
        """What was known at a whole second, epoch ms."""
        last = ts // SECOND
        quote = self._newest(symbol, last, last - STANDS_S - 1)
        return quote if quote is not None and ts - quote.ts <= STANDS_S * SECOND else None

    def upto(self, now: int, wanted: Set[str]) -> list[Quote]:
        """Of each market that is wanted, the newest of the seconds that are over at an epoch ms, if it is news."""
        last, told = now // SECOND, []
        for symbol in self._of:
            if symbol in wanted:
                quote = self._newest(symbol, last, max(self._told.get(symbol, 0), last - STANDS_S))
                self._told[symbol] = last
                told += [] if quote is None else [quote]
        return told

    def onto(self, candle: Candle) -> Candle:
        """The candle, with what was known at its close. Where the ask is below the bid, nothing was."""
        quote = self.at(candle.symbol, candle.ts)
        if quote is None or quote.ask < quote.bid:
            return candle
        made: Candle = _replaced(candle, bid=quote.bid, ask=quote.ask)
        return made

    def _newest(self, symbol: str, last: int, after: int) -> Quote | None:
        of = self._of[symbol]
        ts, quote = next((of[second] for second in range(last, after, -1) if second in of), (0, None))
        return quote if quote is None or quote.ts == ts else _replaced(quote, ts=ts)
