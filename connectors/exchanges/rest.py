"""Asks an exchange, within its limits and as often as it takes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

import aiohttp

from connectors.exchanges.interface import Exchange, ExchangeError, Request, UnreachableError, Watched
from connectors.feed.backoff import Backoff
from connectors.feed.budget import Budget
from connectors.feed.wall import Wall
from schemas.capture import NANOS

T = TypeVar("T")

WITHIN_S = 20.0
TRIES = 8
"""Together they take about a minute: as long as an exchange counts requests."""
TOO_MANY = (418, 429)  # Binance bans an address with 418
CLOSED_S = 10.0  # when the exchange says "too many" and not for how long
LONGEST = 200


class Rest:
    """One exchange's requests. To be closed.

    An exchange that does not answer, answers with 5xx, or says "too many" is asked again, later each time; what it
    says with any other status is its answer. ``trouble`` gets to know why the first time that a request fails.
    """

    def __init__(self, exchange: Exchange, wall: Wall, trouble: Callable[[ExchangeError], None]) -> None:
        self.exchange = exchange
        self._wall, self._trouble = wall, trouble
        self._budget = Budget(exchange.limits.weight_per_minute, 60.0)
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, request: Request, read: Callable[[bytes], T]) -> T:
        """What ``read`` makes of the answer.

        Raises UnreachableError when there is none, or ``read`` raises it, each time; ExchangeError as ``read`` does.
        """
        backoff = Backoff(random.random)
        for left in reversed(range(TRIES)):
            await self._wall.sleep(self._budget.wait_ns(self._wall.now(), request.weight) / NANOS)
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
        if self._session is not None:
            await self._session.close()
        if isinstance(self.exchange, Watched):
            await self.exchange.close()

    async def _get(self, request: Request) -> bytes:
        if isinstance(self.exchange, Watched):
            return await self.exchange.get(request)
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WITHIN_S), trust_env=True)
        try:
            async with self._session.get(request.url, params=dict(request.params)) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as failed:
            raise UnreachableError(f"{self.exchange.id}: {request.url}: {failed or type(failed).__name__}") from failed
        words = " ".join(body[:LONGEST].decode(errors="replace").split())
        said = f"{self.exchange.id}: status {answer.status}: {words}"
        if answer.status in TOO_MANY:
            after = answer.headers.get("Retry-After", "")
            self._budget.closed(self._wall.now() + int((float(after) if after.isdigit() else CLOSED_S) * NANOS))
        if answer.status in TOO_MANY or answer.status >= 500:
            raise UnreachableError(said)
        if answer.status != 200 and "json" not in answer.content_type:
            raise ExchangeError(said)
        return body
