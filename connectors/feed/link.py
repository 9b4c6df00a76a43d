"""One connection, as long as it stands: a websocket of ours, or one that another library holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from connectors.exchanges.interface import Exchange, Socket, Watched
from connectors.feed.pulse import Pulse

OPENED_WITHIN_S = 10.0
SENT_WITHIN_S = 0.05
LARGEST_FRAME = 16 << 20


@dataclass
class Link:
    """``frames`` come until it breaks. ``began``: epoch ns."""

    frames: AsyncIterator[bytes]
    abort: Callable[[], None]
    pulse: Pulse
    began: int
    socket: ClientConnection | None = None
    why: str = ""  # it was ended by us

    async def send(self, text: str) -> None:
        """Send a text. Raises what a connection raises that is gone."""
        if self.socket is not None:
            await self.socket.send(text)

    async def ping(self, text: str) -> None:
        """Send it, if that is possible at once: who reads will know what is wrong."""
        try:
            await asyncio.wait_for(self.send(text), SENT_WITHIN_S)
        except (ConnectionClosed, TimeoutError):
            return


@asynccontextmanager
async def link(exchange: Exchange, socket: Socket, now: Callable[[], int]) -> AsyncIterator[Link]:
    """Connect. Raises OSError, TimeoutError, WebSocketException, ExchangeError; the frames raise them, too."""
    if isinstance(exchange, Watched):
        async with asyncio.timeout(None) as limit:
            loop = asyncio.get_running_loop()
            frames = exchange.frames(socket)
            try:
                yield Link(frames, lambda: limit.reschedule(loop.time()), Pulse(exchange.heartbeat, now()), now())
            finally:
                if isinstance(frames, AsyncGenerator):
                    await frames.aclose()
        return
    async with connect(socket.url, open_timeout=OPENED_WITHIN_S, max_size=LARGEST_FRAME, close_timeout=1) as one:
        pulse = Pulse(exchange.heartbeat, now())
        yield Link(_frames(one), one.transport.abort, pulse, now(), one)


async def _frames(one: ClientConnection) -> AsyncIterator[bytes]:
    while True:
        yield await one.recv(decode=False)
