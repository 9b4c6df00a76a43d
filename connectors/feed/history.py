"""Asks an exchange for what was missed, within its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from connectors.exchanges.interface import Exchange, Watched
from connectors.feed.budget import Budget
from connectors.feed.stream import Ask
from connectors.feed.wall import Wall
from schemas.capture import NANOS, Note

WITHIN_S = 10.0
AT_ONCE = 4
CLOSED_S = 10.0  # when the exchange says "too many" and not for how long
TOO_MANY = (418, 429)  # Binance bans an address with 418
MINUTE_S = 60.0
LONGEST = 200


class History:
    """Sends each question as one request, and tells the answer, or why there is none, as a note. Raises nothing."""

    def __init__(self, exchange: Exchange, wall: Wall, tell: Callable[[Note], None]) -> None:
        self._exchange, self._wall, self._tell = exchange, wall, tell
        self._budget = Budget(exchange.limits.weight_per_minute, MINUTE_S)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, ask: Ask) -> None:
        """Begin to ask."""
        task = asyncio.create_task(self._ask(ask))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _ask(self, ask: Ask) -> None:
        async with self._places:
            try:
                body, why = await self._get(ask)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as failed:
                body, why = "", f"{ask.kind} of {ask.symbol}: {failed or type(failed).__name__}"
        self._tell(Note("answered", kind=ask.kind, symbol=ask.symbol, body=body, why=why))

    async def _get(self, ask: Ask) -> tuple[str, str]:
        """The body of the answer, or why there is none."""
        request = ask.request(self._exchange)
        await self._wall.sleep(self._budget.wait_ns(self._wall.now(), request.weight) / NANOS)
        if isinstance(self._exchange, Watched):
            return (await asyncio.wait_for(self._exchange.get(request), WITHIN_S)).decode(), ""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WITHIN_S), trust_env=True)
        async with self._session.get(request.url, params=dict(request.params)) as answer:
            text = await answer.text()
            if answer.status == 200:
                return text, ""
            if answer.status in TOO_MANY:
                after = answer.headers.get("Retry-After", "")
                closed_s = float(after) if after.isdigit() else CLOSED_S
                self._budget.closed(self._wall.now() + int(closed_s * NANOS))
            return "", f"{ask.kind} of {ask.symbol}: status {answer.status}: {text[:LONGEST]}"
