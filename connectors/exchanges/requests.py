"""Requests to one exchange, within its limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp

from connectors.exchanges.interface import Exchange, Request, UnreachableError, Watched
from connectors.feed.budget import Budget
from connectors.feed.wall import Wall
from schemas.capture import NANOS

MINUTE_S = 60.0
TOO_MANY = (418, 429)  # Binance bans an address with 418
CLOSED_S = 10.0  # when the exchange says "too many" and not for how long
LONGEST = 200
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the type of the content, and the bytes of the body."""

    status: int
    kind: str
    body: bytes

    @property
    def again(self) -> bool:
        """Whether the same request may be answered otherwise later."""
        return self.status in TOO_MANY or self.status >= 500

    def __str__(self) -> str:
        """Its status and its first words.

        >>> str(Answer(503, "text/html", b"<h1>Try  later"))
        'status 503: <h1>Try later'
        """
        return f"status {self.status}: {' '.join(self.body[:LONGEST].decode(errors='replace').split())}"


class Requests:
    """Sends requests to an exchange, each when its limits allow it, and waits ``within_s`` for an answer."""

    def __init__(self, exchange: Exchange, wall: Wall, within_s: float) -> None:
        self._exchange, self._wall, self._within_s = exchange, wall, within_s
        self._budget = Budget(exchange.limits.weight_per_minute, MINUTE_S)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Answer:
        """The answer, whatever it says. Raises UnreachableError when there is none; ExchangeError as ``get`` does."""
        await self._wall.sleep(self._budget.wait_ns(self._wall.now(), request.weight) / NANOS)
        try:
            if isinstance(self._exchange, Watched):
                return Answer(200, JSON, await asyncio.wait_for(self._exchange.get(request), self._within_s))
            return await self._get(request)
        except (aiohttp.ClientError, OSError, TimeoutError) as failed:
            why = failed or type(failed).__name__
            raise UnreachableError(f"{self._exchange.id}: {request.url}: {why}") from failed

    async def close(self) -> None:
        """Close the connections; those of a watched exchange are its own."""
        if self._session is not None:
            await self._session.close()

    async def _get(self, request: Request) -> Answer:
        if self._session is None:
            limit = aiohttp.ClientTimeout(self._within_s)
            self._session = aiohttp.ClientSession(timeout=limit, trust_env=True)  # HTTPS_PROXY
        async with self._session.get(request.url, params=dict(request.params)) as said:
            answer = Answer(said.status, said.content_type, await said.read())
            if answer.status in TOO_MANY:
                after = said.headers.get("Retry-After", "")
                closed_s = float(after) if after.isdigit() else CLOSED_S
                self._budget.closed(self._wall.now() + int(closed_s * NANOS))
            return answer
