"""Runs a feed: connections that are made and made again, each on its own; all that they say goes to one machine."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Protocol

from websockets.exceptions import WebSocketException

from connectors.exchanges.interface import Exchange, ExchangeError, Socket, Stream, Watched
from connectors.feed.backoff import Backoff
from connectors.feed.budget import Budget
from connectors.feed.feed import Feed
from connectors.feed.history import History
from connectors.feed.link import Link, link
from connectors.feed.reports import Out
from connectors.feed.wall import Wall
from schemas.capture import NANOS, Line, Note

STEP_S = 0.05
LEAVE_BEFORE_S = 60.0  # the exchange closes a connection for its age


class Ends(Protocol):
    """Where a feed leads to. What these raise ends the feed."""

    def record(self, line: Line) -> None:
        """A frame or a note, before anything is made of it."""

    def publish(self, out: Sequence[Out]) -> None:
        """Records with their topics, in order."""

    def step(self) -> None:
        """Time has passed."""


class Driver:
    """The feed of some streams of some symbols of one exchange."""

    def __init__(
        self,
        exchange: Exchange,
        symbols: Sequence[str],
        streams: Sequence[Stream],
        timeframe: str,
        ends: Ends,
        wall: Wall | None = None,
    ) -> None:
        """Raises ValueError for what the exchange does not have."""
        self._exchange, self._ends, self._wall = exchange, ends, wall or Wall()
        self._sockets = exchange.sockets(symbols, streams, timeframe)
        self._timeframe = timeframe
        self._feed = Feed(exchange)
        self._links: dict[int, Link] = {}
        self._history = History(exchange, self._wall, lambda note: self._tell(0, note))
        self._failed: asyncio.Future[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set. Raises what one of the ends raised."""
        self._failed = asyncio.get_running_loop().create_future()
        for number, one in enumerate(self._sockets):
            about = self._exchange.id, one.symbols, one.streams, self._timeframe
            self._tell(number, Note("opened", *about))
        tasks = [asyncio.create_task(self._keep(number, one)) for number, one in enumerate(self._sockets)]
        tasks += [asyncio.create_task(self._steps()), asyncio.create_task(_wait(stop))]
        try:
            await asyncio.wait([*tasks, self._failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._history.close()
            if isinstance(self._exchange, Watched):
                await self._exchange.close()
        self._tell(0, Note("closed"))
        if self._failed.done():
            self._failed.result()

    def _tell(self, socket: int, said: bytes | Note) -> None:
        """The one place where anything enters: stamped, recorded, decided, published."""
        if self._failed is None or self._failed.done():
            return
        try:
            line = Line(self._wall.now(), socket, said)
            self._ends.record(line)
            self._publish(self._feed.take(line))
        except Exception as error:
            self._failed.set_exception(error)

    def _publish(self, out: Sequence[Out]) -> None:
        self._ends.publish(out)
        asks, self._feed.asks = self._feed.asks, []
        for ask in asks:
            self._history.ask(ask)

    async def _steps(self) -> None:
        assert self._failed is not None
        while not self._failed.done():
            await asyncio.sleep(STEP_S)
            now = self._wall.now()
            try:
                self._publish(self._feed.advance(now))
                self._ends.step()
            except Exception as error:
                if not self._failed.done():
                    self._failed.set_exception(error)
            await asyncio.gather(*(self._look_after(one, now) for one in self._links.values()))

    async def _look_after(self, one: Link, now: int) -> None:
        lifetime = self._exchange.limits.lifetime_s
        act = one.pulse.act(now)
        if act == "dead":
            one.why = "nothing was heard for too long"
        elif lifetime is not None and now - one.began > (lifetime - LEAVE_BEFORE_S) * NANOS:
            one.why = "it is as old as the exchange lets one be"
        if one.why:
            one.abort()
        elif act == "ping" and (text := self._exchange.ping(now // 1_000_000)) is not None:
            await one.ping(text)

    async def _keep(self, number: int, socket: Socket) -> None:
        """Hold one connection, for ever. What goes wrong in it stays in it."""
        backoff = Backoff(random.random)
        while True:
            began = self._wall.now()
            try:
                await self._read(number, socket)
                why = "the exchange has no more"
            except (OSError, TimeoutError, WebSocketException, ExchangeError) as lost:
                why = str(lost) or type(lost).__name__
            except Exception as defect:  # of a library or of ours: the other connections have nothing to do with it
                why = f"{type(defect).__name__}: {defect}"
            one = self._links.pop(number, None)
            self._tell(number, Note("lost", why=one.why if one is not None and one.why else why))
            lasted = (self._wall.now() - began) / NANOS if one is not None else 0.0
            await self._wall.sleep(backoff.after(lasted))

    async def _read(self, number: int, socket: Socket) -> None:
        async with link(self._exchange, socket, self._wall.now) as one:
            self._links[number] = one
            self._tell(number, Note("connected"))
            budget = Budget(max(1.0, self._exchange.limits.messages_per_second), 1.0)
            for text in socket.hello:
                await self._wall.sleep(budget.wait_ns(self._wall.now()) / NANOS)
                await one.send(text)
            async for frame in one.frames:
                self._tell(number, frame)
                one.pulse.heard(self._wall.now())


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
