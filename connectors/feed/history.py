"""Asks an exchange for what was missed, within its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from connectors.exchanges.interface import Exchange
from connectors.exchanges.requests import Requests
from connectors.feed.stream import Ask
from connectors.feed.wall import Wall
from schemas.capture import Note

WITHIN_S = 10.0
AT_ONCE = 4


class History:
    """Sends each question as one request, and tells the answer, or why there is none, as a note. Raises nothing."""

    def __init__(self, exchange: Exchange, wall: Wall, tell: Callable[[Note], None]) -> None:
        self._exchange, self._tell = exchange, tell
        self._requests = Requests(exchange, wall, WITHIN_S)
        self._places = asyncio.Semaphore(AT_ONCE)
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
        await self._requests.close()

    async def _ask(self, ask: Ask) -> None:
        body, why = "", ""
        async with self._places:
            try:
                answer = await self._requests.send(ask.request(self._exchange))
                if answer.status == 200:
                    body = answer.body.decode()
                else:
                    why = str(answer)
            except ValueError as failed:  # no such history, no answer, no text
                why = str(failed)
        why = f"{ask.kind} of {ask.symbol}: {why}" if why else ""
        self._tell(Note("answered", kind=ask.kind, symbol=ask.symbol, body=body, why=why))
