"""Downloads candles of several markets at once, each into its file."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from connectors.exchanges.history import candle_pages
from connectors.exchanges.interface import Exchange, ExchangeError
from connectors.exchanges.rest import Rest
from connectors.feed.wall import Wall
from sinks.candle_history import CandleHistory

AT_ONCE = 4
SAVE_S = 10.0
"""What is lost when the process is killed; nothing is when it is interrupted or an exchange fails."""


@dataclass
class Download:
    """Candles that open in [since, until) (epoch ms), of markets by their symbols.

    ``done`` are the milliseconds of all markets that are known by now, of ``asked``. ``failed`` has the error of each
    market that failed; the others are whole.
    """

    exchange: Exchange
    histories: Mapping[str, CandleHistory]
    timeframe: str
    since: int
    until: int
    done: int = 0

    def __post_init__(self) -> None:
        self.failed: dict[str, ExchangeError] = {}
        missing = [one.missing(self.since, self.until) for one in self.histories.values()]
        self.asked = sum(until - since for stretches in missing for since, until in stretches)

    async def run(self, wall: Wall, trouble: Callable[[ExchangeError], None] = lambda _: None) -> None:
        """Fetch what is missing. Whatever ends it, what has come is saved.

        ``trouble`` gets to know why a request is sent again.
        """
        here = asyncio.current_task()
        assert here is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, here.cancel)
        rest, places = Rest(self.exchange, wall, trouble), asyncio.Semaphore(AT_ONCE)
        try:
            await asyncio.gather(*(self._market(rest, places, symbol) for symbol in self.histories))
        finally:
            await rest.close()

    async def _market(self, rest: Rest, places: asyncio.Semaphore, symbol: str) -> None:
        async with places:
            try:
                await self._fetch(rest, symbol)
            except ExchangeError as error:
                self.failed[symbol] = error

    async def _fetch(self, rest: Rest, symbol: str) -> None:
        history, saved = self.histories[symbol], -SAVE_S
        try:
            for since, until in history.missing(self.since, self.until):
                at = since
                async for known, page in candle_pages(rest, symbol, self.timeframe, since, until):
                    history.add(page, at, known)
                    self.done += known - at
                    at = known
                    if monotonic() - saved >= SAVE_S:
                        history.save()
                        saved = monotonic()
        except BaseException:
            history.save()
            raise
        history.finish()
