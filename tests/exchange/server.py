"""Simulated exchanges on the loopback: they play a tape to whoever subscribes, and misbehave when they are asked to.

Times are those of the tape: the simulator and the feed have one clock, which may run fast.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import WSCloseCode, WSMsgType, web

from connectors.exchanges.interface import CANDLE, TRADE
from connectors.feed.wall import Wall
from tests.exchange.binance import Binance
from tests.exchange.bitunix import Bitunix
from tests.exchange.coinbase import Coinbase
from tests.exchange.kraken import Kraken
from tests.exchange.protocol import Protocol, Refused, Topic
from tests.exchange.tape import Record, Tape

PROTOCOLS: dict[str, type[Protocol]] = {one.name: one for one in (Binance, Bitunix, Coinbase, Kraken)}
Kind = Literal[
    "drop",
    "close",
    "stall",
    "refuse",
    "garbage",
    "swallow",
    "duplicate",
    "reorder",
    "truncate",
    "unknown",
    "wrong",
    "429",
    "5xx",
    "checksum",
]
"""drop: the connection breaks. close: with a close code. stall: nothing comes any more on one connection. refuse: no
new connections for a while. garbage: bytes that are no websocket frame. swallow: frames are left out. duplicate,
reorder, truncate: what is done to frames. unknown: frames of a kind that nobody knows. wrong: values that cannot be.
429, 5xx: answers to requests. checksum: compressed answers whose checksum does not fit."""
UNKNOWN = ('{"e":"newsOfTomorrow","s":"BTCUSDT"}', "[]", "pong?", '{"channel":"surprise","data":[{}]}', "\x00\xff", "1")
BROKEN = ("429", "5xx", "checksum")
CODES = (WSCloseCode.SERVICE_RESTART, WSCloseCode.TRY_AGAIN_LATER, WSCloseCode.POLICY_VIOLATION, WSCloseCode.OK)


@dataclass
class Mischief:
    """At an epoch ms of the tape: what, and of how many frames or requests, or for how many seconds."""

    at: int
    kind: Kind
    count: int = 1


@dataclass(eq=False)
class _Client:
    socket: web.WebSocketResponse
    request: web.Request
    protocol: Protocol
    topics: set[Topic] = field(default_factory=set)
    spoil: Counter[str] = field(default_factory=Counter)  # frames still to be spoiled, by kind
    stalled: bool = False
    back: list[str] = field(default_factory=list)  # kept back, to come later than the next one


class Simulator:
    """One process, all exchanges. ``url`` is known once it runs; ``missed`` are the trades that no frame brought."""

    def __init__(
        self, tape: Tape, wall: Wall, mischief: list[Mischief] | None = None, skew_ms: int = 0, seed: int = 1
    ) -> None:
        self.missed: set[tuple[str, str]] = set()
        self.done: Counter[str] = Counter()  # by kind of mischief
        self.requests = 0
        self.over = asyncio.Event()
        self._tape, self._wall, self._skew_ms = tape, wall, skew_ms
        self._candles = tape.candles()
        self._mischief = sorted(mischief or [], key=lambda one: one.at)
        self._clients: list[_Client] = []
        self._sent = 0  # records of the tape that are past
        self._requests: Counter[str] = Counter()  # still to be spoiled
        self._refused_until = 0
        self._draw = random.Random(seed)
        self.url = ""

    @property
    def now(self) -> int:
        """The exchange's time, epoch ms."""
        return self._wall.now() // 1_000_000 + self._skew_ms

    async def start(self, clients: int = 1) -> None:
        """Listen, and play the tape as soon as so many connections have subscribed."""
        app = web.Application()
        app.router.add_get("/{exchange}/rest{path:.*}", self._rest)
        app.router.add_get("/{exchange}/ws{path:.*}", self._socket)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self.url = f"127.0.0.1:{port}"
        self._task = asyncio.create_task(self._play(clients))
        self._task.add_done_callback(lambda _: self.over.set())

    async def close(self) -> None:
        """Stop."""
        try:
            if self._task.done():
                self._task.result()
        finally:
            self._task.cancel()
            await self._runner.cleanup()

    def addresses(self, name: str) -> dict[str, str]:
        """Where an exchange is, as :func:`connectors.exchanges.registry.exchange` takes it."""
        return {"socket_url": f"ws://{self.url}/{name}/ws", "rest_url": f"http://{self.url}/{name}/rest"}

    async def _play(self, clients: int) -> None:
        while sum(bool(one.topics) for one in self._clients) < clients:
            await asyncio.sleep(0.001)
        idle = 0
        for record in self._tape.records:
            while (ahead := record.ts - self.now) > 0:
                await self._wall.sleep(min(ahead / 1_000, 1.0))
                if self.now // 1_000 != idle:
                    idle = self.now // 1_000
                    await self._idle()
            while self._mischief and self._mischief[0].at <= record.ts:
                await self._misbehave(self._mischief.pop(0))
            self._sent += 1
            await self._send(record)
        for client in self._clients:
            await self._release(client)

    async def _idle(self) -> None:
        for client in list(self._clients):
            if client.topics and not client.stalled and (text := client.protocol.idle(self.now)) is not None:
                await self._write(client, text)

    async def _misbehave(self, what: Mischief) -> None:
        kind = what.kind
        self.done[kind] += 1
        if kind in BROKEN:
            self._requests[kind] += what.count
        elif kind == "refuse":
            self._refused_until = self.now + what.count * 1_000
            await self._leave("drop")
        elif kind in ("drop", "close", "garbage"):
            await self._leave(kind)
        else:
            for client in self._clients[:1] if kind == "stall" else self._clients:
                client.stalled = client.stalled or kind == "stall"
                client.spoil[kind] += what.count

    async def _leave(self, how: str) -> None:
        leaving, self._clients = self._clients, []
        for client in leaving:
            transport = client.request.transport
            if how == "close":
                await client.socket.close(code=self._draw.choice(CODES), message=b"simulated")
            elif transport is not None and how == "garbage":
                transport.write(b"\xff\xff\xff\xff no websocket")
            elif transport is not None:
                transport.abort()

    async def _send(self, record: Record) -> None:
        topic = (_kind(record), record.symbol)
        reached = False
        for client in list(self._clients):
            if topic in client.topics:
                text = client.protocol.frame(record, self.now)
                reached = await self._deliver(client, text, isinstance(record, TRADE)) or reached
        if isinstance(record, TRADE) and not reached:
            self.missed.add((record.symbol, record.id))

    async def _deliver(self, client: _Client, text: str, trade: bool) -> bool:
        """Send a frame, or what is left of it. Returns whether it can be read."""
        if client.stalled:
            return False
        spoil = client.spoil
        if spoil["unknown"]:
            spoil["unknown"] -= 1
            await self._write(client, self._draw.choice(UNKNOWN))
        for kind in ("swallow", "truncate", "wrong", "reorder", "duplicate"):
            if spoil[kind] and trade:
                spoil[kind] -= 1
                break
        else:
            kind = ""
        if kind == "swallow":
            return False
        if kind == "truncate":
            await self._write(client, text[: self._draw.randrange(len(text))])
            return False
        if kind == "wrong":
            await self._write(client, text.replace('"p": "', '"p": "-').replace('"price": ', '"price": -'))
            return False
        if kind == "reorder":
            client.back.append(text)
            return True
        sent = await self._write(client, text)
        if kind == "duplicate":
            await self._write(client, text)
        await self._release(client)
        return sent

    async def _release(self, client: _Client) -> None:
        back, client.back = client.back, []
        for text in back:
            await self._write(client, text)

    async def _write(self, client: _Client, text: str) -> bool:
        try:
            await client.socket.send_str(text)
        except (ConnectionError, RuntimeError):
            return False
        return True

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.now < self._refused_until:
            return web.Response(status=503)
        socket = web.WebSocketResponse(autoping=True, compress=False)
        await socket.prepare(request)
        client = _Client(socket, request, PROTOCOLS[request.match_info["exchange"]](self._candles))
        self._clients.append(client)
        for text in client.protocol.hello(self.now):
            await self._write(client, text)
        async for said in socket:
            if said.type is WSMsgType.TEXT and not client.stalled:
                answers, topics = client.protocol.heard(said.data, self.now)
                client.topics |= topics
                for text in answers:
                    await self._write(client, text)
        if client in self._clients:
            self._clients.remove(client)
        return socket

    async def _rest(self, request: web.Request) -> web.Response:
        self.requests += 1
        kind = next((one for one in BROKEN if self._requests[one]), "")
        self._requests[kind] -= 1
        if kind == "429":
            return web.Response(status=self._draw.choice((418, 429)), text="simulated", headers={"Retry-After": "2"})
        if kind == "5xx":
            return web.Response(status=self._draw.choice((500, 502, 503, 504)), text="simulated")
        past = self._tape.records[: self._sent]
        trades = [one for one in past if isinstance(one, TRADE)]
        candles = [one for one in past if isinstance(one, CANDLE)]
        protocol = PROTOCOLS[request.match_info["exchange"]]()
        status = 200
        try:
            body: Any = protocol.rest(request.match_info["path"], request.query, trades, candles)
        except Refused as refused:
            status, body = refused.status, refused.body
        text = json.dumps(body).encode()
        if kind == "checksum":
            packed = gzip.compress(text)
            text = packed[:-8] + bytes(byte ^ 0xFF for byte in packed[-8:-4]) + packed[-4:]
        packing = {"Content-Encoding": "gzip"} if kind == "checksum" else {}
        return web.Response(status=status, body=text, headers=packing, content_type="application/json")


def _kind(record: Record) -> str:
    return "trades" if isinstance(record, TRADE) else "candles" if isinstance(record, CANDLE) else "quotes"
