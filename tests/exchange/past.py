"""A simulated exchange with all of its tape in the past, for those that only ask for history."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from connectors.feed.wall import Wall
from tests.exchange.beside import running
from tests.exchange.server import Mischief, Simulator
from tests.exchange.tape import Tape


class Past(Simulator):
    """Keeps the requests that came. Broken, it answers with 500, or ``hangs``: with nothing."""

    def __init__(self, tape: Tape, mischief: list[Mischief] | None = None) -> None:
        super().__init__(tape, Wall(), mischief)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.broken = range(0)
        self.hangs = False
        self._closing = asyncio.Event()

    def break_after(self, most: int, times: int = 1 << 62, *, hangs: bool = False) -> None:
        """After so many requests from now, break down for so many."""
        self.broken = range(len(self.asked) + most, len(self.asked) + most + times)
        self.hangs = hangs

    def mend(self) -> None:
        """Work again."""
        self.broken = range(0)

    async def start(self, clients: int = 0) -> None:
        """Listen, once all of the tape is past."""
        await super().start(clients)
        await self.over.wait()

    async def close(self) -> None:
        """Stop."""
        self._closing.set()
        await super().close()

    async def _rest(self, request: web.Request) -> web.Response:
        self.asked.append((request.match_info["path"], dict(request.query)))
        if len(self.asked) - 1 in self.broken:
            if self.hangs:
                await self._closing.wait()
            return web.Response(status=500, text="simulated")
        return await super()._rest(request)


@contextmanager
def past(tape: Tape, mischief: list[Mischief] | None = None) -> Iterator[Past]:
    """One that runs in a thread of its own while the block does."""
    simulator = Past(tape, mischief)
    with running(simulator, 0):
        yield simulator
