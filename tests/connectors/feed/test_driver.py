"""The driver's own: what fails on one side of it, and what that does on the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from connectors.exchanges.binance import Binance
from connectors.exchanges.interface import Parser, Request, Socket, Stream, Watched
from connectors.feed.driver import Driver
from connectors.feed.wall import Wall
from schemas.capture import NANOS, Line, Note
from tests.exchange.session import Kept, session
from tests.exchange.tape import START, simulated
from tests.exchange.virtual import run

SYMBOLS = ("BTC/USDT", "ETH/USDT")


class Full(Kept):
    """A disk that is full after some lines."""

    def record(self, line: Line) -> None:
        if isinstance(line.said, bytes) and len(self.out) > 100:
            raise OSError(28, "No space left on device", "13.ndjson.zst")


def test_what_an_end_raises_ends_the_feed() -> None:
    kept = Full()
    with pytest.raises(OSError, match="No space left on device"):
        session("binance", SYMBOLS, simulated(SYMBOLS, 2), [], kept)
    assert 100 < len(kept.out) < 200


class Held(Binance, Watched):
    """Connections of another library: one brings a trade a second, one has a defect, one falls silent."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = Binance.limits.__class__(1, 4, 6_000, 1_000, 0)
        self.closed = False
        self.began: list[str] = []

    def sockets(self, symbols: Sequence[str], streams: Sequence[Stream], timeframe: str = "1m") -> list[Socket]:
        return [Socket("", (), (symbol,), tuple(streams)) for symbol in symbols]

    def parser(self) -> Parser:
        return Binance().parser()

    async def frames(self, socket: Socket) -> AsyncIterator[bytes]:
        (symbol,) = socket.symbols
        self.began.append(symbol)
        for number in range(60):
            if symbol == "ETH/USDT" and number == 3:
                raise RuntimeError("a defect")
            if symbol == "XRP/USDT" and number == 3:
                await asyncio.sleep(10_000)
            name, ts = self.to_exchange(symbol), START + number * 1_000
            yield b'{"e":"trade","s":"%s","t":%d,"p":"1","q":"2","T":%d,"m":true}' % (name.encode(), number, ts)
            await asyncio.sleep(1)

    async def get(self, request: Request) -> bytes:
        raise AssertionError("there is no history")

    async def close(self) -> None:
        self.closed = True


async def watched(at: Held, ends: Any, seconds: float) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    wall = Wall(lambda: START * 1_000_000 + int(loop.time() * NANOS))
    loop.call_later(seconds, stop.set)
    await Driver(at, ("BTC/USDT", "ETH/USDT", "XRP/USDT"), ("trades",), "1m", ends, wall).run(stop)


def test_a_connection_that_dies_takes_nobody_with_it() -> None:
    at, kept = Held(), Kept()
    run(watched(at, kept, 39.5))
    trades = [one for one in kept.of("trades") if hasattr(one, "id")]
    assert [int(one.id) for one in trades if one.symbol == "BTC/USDT"] == list(range(40))
    why = {one.figures["socket"]: one.figures["why"] for one in kept.alerts("FEED_LOST")}
    assert why == {1: "RuntimeError: a defect", 2: "nothing was heard for too long"}
    assert at.began.count("BTC/USDT") == 1
    assert at.began.count("ETH/USDT") >= 3
    assert at.began.count("XRP/USDT") == 3
    assert at.closed


def test_a_feed_says_what_it_is_for_and_that_it_ended() -> None:
    class Lines(Kept):
        def record(self, line: Line) -> None:
            said.append(line)

    said: list[Line] = []
    run(watched(Held(), Lines(), 2))
    notes = [(line.socket, line.said) for line in said if isinstance(line.said, Note)]
    opened = [
        (at, Note("opened", exchange="binance", symbols=(symbol,), streams=("trades",), timeframe="1m"))
        for at, symbol in enumerate(("BTC/USDT", "ETH/USDT", "XRP/USDT"))
    ]
    assert notes == [*opened, *((at, Note("connected")) for at in range(3)), (0, Note("closed"))]
    assert [line.ns for line in said] == sorted({line.ns for line in said})
