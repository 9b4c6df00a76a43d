"""Asks an exchange, within its limits and as often as it takes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from connectors.exchanges.interface import Exchange, ExchangeError, Request, UnreachableError, Watched
from connectors.exchanges.requests import Requests
from connectors.feed.backoff import Backoff
from connectors.feed.wall import Wall

T = TypeVar("T")

WITHIN_S = 20.0
TRIES = 8
"""Together they take about a minute: as long as an exchange counts requests."""


class Rest:
    """One exchange's requests. To be closed.

    An exchange that does not answer, answers with 5xx, or says "too many" is asked again, later each time; what it
    says with any other status is its answer. ``trouble`` gets to know why the first time that a request fails.
    """

    def __init__(self, exchange: Exchange, wall: Wall, trouble: Callable[[ExchangeError], None]) -> None:
        self.exchange = exchange
        self._wall, self._trouble = wall, trouble
        self._requests = Requests(exchange, wall, WITHIN_S)

    async def ask(self, request: Request, read: Callable[[bytes], T]) -> T:
        """What ``read`` makes of the answer.

        Raises UnreachableError when there is none, or ``read`` raises it, each time; ExchangeError as ``read`` does.
        """
        backoff = Backoff(random.random)
        for left in reversed(range(TRIES)):
            try:
                return read(await self._get(request))
            except UnreachableError as error:
                if not left:
                    raise UnreachableError(f"{error} (tried {TRIES} times)") from error
                if left == TRIES - 1:
                    self._trouble(error)
                await self._wall.sleep(backoff.after(0.0))
        raise AssertionError("it is tried at least once")

    async def close(self) -> None:
        """Close the connections."""
        await self._requests.close()
        if isinstance(self.exchange, Watched):
            await self.exchange.close()

    async def _get(self, request: Request) -> bytes:
        answer = await self._requests.send(request)
        if answer.again:
            raise UnreachableError(f"{self.exchange.id}: {answer}")
        if answer.status != 200 and "json" not in answer.kind:
            raise ExchangeError(f"{self.exchange.id}: {answer}")
        return answer.body
