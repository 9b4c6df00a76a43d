"""A feed of a simulated exchange in virtual time, and what came out of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.exchanges.interface import QUOTE, TRADE, Exchange
from connectors.exchanges.registry import exchange
from connectors.feed.driver import Driver
from connectors.feed.reports import Out
from connectors.feed.wall import Wall
from schemas.capture import NANOS, Line
from sinks.capture import Capture
from tests.exchange.server import Mischief, Simulator
from tests.exchange.tape import MINUTE, Tape, candles_of
from tests.exchange.virtual import run

AFTER_S = 90.0
"""What is under way comes to its end."""


@dataclass
class Kept:
    """What a feed published, and where it recorded."""

    capture: Capture | None = None
    out: list[Out] = field(default_factory=list)

    def record(self, line: Line) -> None:
        if self.capture is not None:
            self.capture.write(line)

    def publish(self, out: Sequence[Out]) -> None:
        self.out += out

    def step(self) -> None:
        pass

    def of(self, topic: str) -> list[Any]:
        return [record for where, record in self.out if where == topic]

    def alerts(self, code: str) -> list[Any]:
        return [one for one in self.of("alerts") if one.code == code]

    def counted(self, name: str) -> float:
        """The sum of a metric over all minutes."""
        return sum(float(one.value) for one in self.of("metrics") if one.name == name)


def session(
    name: str,
    symbols: Sequence[str],
    tape: Tape,
    mischief: Sequence[Mischief],
    ends: Kept,
    symbols_per_socket: int | None = None,
) -> Simulator:
    """Run it to the end of the tape, and a while longer. Returns the simulator, for what it did."""
    return run(_session(name, symbols, tape, mischief, ends, symbols_per_socket))


async def _session(
    name: str,
    symbols: Sequence[str],
    tape: Tape,
    mischief: Sequence[Mischief],
    ends: Kept,
    symbols_per_socket: int | None,
) -> Simulator:
    loop, began = asyncio.get_running_loop(), (tape.start - 2_000) * 1_000_000
    wall = Wall(lambda: began + int(loop.time() * NANOS))
    simulator = Simulator(tape, wall, list(mischief), skew_ms=1_200)
    sockets = 1 if symbols_per_socket is None else -(-len(symbols) // symbols_per_socket)
    await simulator.start(sockets)
    at: Exchange = exchange(name, **simulator.addresses(name))
    if symbols_per_socket is not None:
        at.limits = replace(at.limits, symbols_per_socket=symbols_per_socket)
    stop = asyncio.Event()
    timeframe = "1m" if "1m" in at.timeframes else at.timeframes[0]
    driver = Driver(at, symbols, at.streams, timeframe, ends, wall)
    running = asyncio.create_task(driver.run(stop))
    ended = asyncio.create_task(simulator.over.wait())
    await asyncio.wait([running, ended], return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        await wall.sleep(AFTER_S)
    stop.set()
    await running
    await simulator.close()
    return simulator


def late(out: Sequence[Out], lateness: int) -> list[Any]:
    """Trades that come after their minute was closed by an operator that reads the topic in order."""
    watermark, found = 0, []
    for topic, record in out:
        if topic == "trades" and not isinstance(record, QUOTE):
            if isinstance(record, TRADE) and (record.ts // MINUTE + 1) * MINUTE <= watermark:
                found.append(record)
            watermark = max(watermark, record.ts - lateness)
    return found


def candles_made(out: Sequence[Out]) -> list[Any]:
    """The candles of all trades, each of which is to be there once."""
    trades = [record for _, record in out if isinstance(record, TRADE)]
    assert len({(one.symbol, one.id) for one in trades}) == len(trades)
    return candles_of(trades)
