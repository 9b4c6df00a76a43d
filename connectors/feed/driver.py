"""Runs a feed: connections that are made and made again, each on its own; all that they say goes to one machine."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import NoReturn, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from connectors.exchanges.interface import Exchange, Socket, Stream
from connectors.feed.backoff import Backoff
from connectors.feed.budget import Budget
from connectors.feed.feed import Feed
from connectors.feed.history import History
from connectors.feed.pulse import Pulse
from connectors.feed.reports import Out
from connectors.feed.wall import Wall
from schemas.capture import NANOS, Line, Note

STEP_S = 0.05
OPENED_WITHIN_S = 10.0
LARGEST_FRAME = 16 << 20
LEAVE_BEFORE_S = 60.0  # the exchange closes a connection for its age


class Ends(Protocol):
    """Where a feed leads to. What these raise ends the feed."""

    def record(self, line: Line) -> None:
        """A frame or a note, before anything is made of it."""

    def publish(self, out: Sequence[Out]) -> None:
        """Records with their topics, in order."""

    def step(self) -> None:
        """Time has passed."""


class _Link:
    """One connection, as long as it stands."""

    def __init__(self, exchange: Exchange, socket: ClientConnection, now: int) -> None:
        self.socket, self.began = socket, now
        self.pulse = Pulse(exchange.heartbeat, now)
        self.why = ""


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
        self._opened = Note(
            "opened", exchange=exchange.id, symbols=tuple(symbols), streams=tuple(streams), timeframe=timeframe
        )
        self._feed = Feed(exchange)
        self._links: dict[int, _Link] = {}
        self._history = History(exchange, self._wall, lambda note: self._tell(0, note))
        self._failed: asyncio.Future[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set. Raises what one of the ends raised."""
        self._failed = asyncio.get_running_loop().create_future()
        self._tell(0, self._opened)
        tasks = [asyncio.create_task(self._keep(number, one)) for number, one in enumerate(self._sockets)]
        tasks += [asyncio.create_task(self._steps()), asyncio.create_task(_wait(stop))]
        try:
            await asyncio.wait([*tasks, self._failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._history.close()
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
            for link in list(self._links.values()):
                await self._look_after(link, now)

    async def _look_after(self, link: _Link, now: int) -> None:
        lifetime = self._exchange.limits.lifetime_s
        act = link.pulse.act(now)
        if act == "dead":
            link.why = "nothing was heard for too long"
        elif lifetime is not None and now - link.began > (lifetime - LEAVE_BEFORE_S) * NANOS:
            link.why = "it is as old as the exchange lets one be"
        if link.why:
            link.socket.transport.abort()
        elif act == "ping" and (text := self._exchange.ping(now // 1_000_000)) is not None:
            try:
                await asyncio.wait_for(link.socket.send(text), STEP_S)
            except (ConnectionClosed, TimeoutError):
                return  # who reads it will know

    async def _keep(self, number: int, socket: Socket) -> None:
        """Hold one connection, for ever. What goes wrong in it stays in it."""
        backoff = Backoff(random.random)
        while True:
            began = self._wall.now()
            try:
                await self._read(number, socket)
            except (OSError, TimeoutError, WebSocketException) as lost:
                why = str(lost) or type(lost).__name__
            except Exception as defect:  # of a library or of ours: the other connections have nothing to do with it
                why = f"{type(defect).__name__}: {defect}"
            link = self._links.pop(number, None)
            self._tell(number, Note("lost", why=link.why if link is not None and link.why else why))
            lasted = (self._wall.now() - began) / NANOS if link is not None else 0.0
            await self._wall.sleep(backoff.after(lasted))

    async def _read(self, number: int, socket: Socket) -> NoReturn:
        limits = self._exchange.limits
        async with connect(socket.url, open_timeout=OPENED_WITHIN_S, max_size=LARGEST_FRAME, close_timeout=1) as one:
            link = self._links[number] = _Link(self._exchange, one, self._wall.now())
            self._tell(number, Note("connected"))
            budget = Budget(max(1.0, limits.messages_per_second), 1.0)
            for text in socket.hello:
                await self._wall.sleep(budget.wait_ns(self._wall.now()) / NANOS)
                await one.send(text)
            while True:
                frame = await one.recv(decode=False)
                self._tell(number, frame)
                link.pulse.heard(self._wall.now())


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
