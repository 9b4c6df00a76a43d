"""The candles of a market's past, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from connectors.exchanges.interface import Request
from connectors.exchanges.rest import Rest
from schemas.candle import Candle
from schemas.timeframe import to_millis


async def candle_pages(
    rest: Rest, symbol: str, timeframe: str, since: int, until: int
) -> AsyncIterator[tuple[int, list[Candle]]]:
    """The candles that open in [since, until) (epoch ms), oldest first, and with each page up to where all is known.

    A market is asked for in vain before it began. So once an answer has nothing, the longest candles of the exchange
    are asked for, of which one covers many pages: the first of them is where to go on.

    Raises ExchangeError, and ValueError for a market or a timeframe that the exchange does not have.
    """
    at, coarse = since, max(rest.exchange.history, key=to_millis, default=timeframe)
    while at < until:
        known, page = await _page(rest, symbol, timeframe, at, until)
        if not page and known < until and to_millis(coarse) > to_millis(timeframe):
            known = max(known, await _first(rest, symbol, coarse, known, until))
        yield known, page
        at = known


async def _page(rest: Rest, symbol: str, timeframe: str, since: int, until: int) -> tuple[int, list[Candle]]:
    request: Request = rest.exchange.candles_request(symbol, timeframe, since, until)
    read = partial(rest.exchange.parse_candles, symbol=symbol, timeframe=timeframe)
    length, newest, page = to_millis(timeframe), since, []
    for candle in await rest.ask(request, read):
        if newest <= candle.ts - length < until:
            page.append(candle)
            newest = candle.ts
    return min(until, max(newest, rest.exchange.candles_known(timeframe, since, until, page))), page


async def _first(rest: Rest, symbol: str, coarse: str, since: int, until: int) -> int:
    """The open of the first long candle that ends after ``since``, or ``until``."""
    at = since - to_millis(coarse)
    while at < until:
        at, page = await _page(rest, symbol, coarse, at, until)
        if page:
            return page[0].ts - to_millis(coarse)
    return until
