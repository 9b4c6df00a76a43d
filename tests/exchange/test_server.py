"""Each simulated exchange plays its tape over sockets to the feed's driver, which loses nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectors.exchanges.interface import CANDLE, QUOTE, STREAMS, TRADE
from connectors.exchanges.registry import exchange
from connectors.feed.driver import Driver
from connectors.feed.reports import Out
from connectors.feed.wall import Wall
from schemas.capture import Line
from tests.exchange.server import PROTOCOLS, Simulator
from tests.exchange.tape import longer, simulated
from tests.exchange.test_protocols import MARKETS, STREAMED

SPEED = 240


@dataclass
class Kept:
    out: list[Out] = field(default_factory=list)

    def record(self, line: Line) -> None:
        pass

    def publish(self, out: Sequence[Out]) -> None:
        self.out += out

    def step(self) -> None:
        pass

    def of(self, kind: type) -> list[Any]:
        return [record for _, record in self.out if isinstance(record, kind)]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_feed_of_an_exchange_that_behaves_brings_its_whole_tape(name: str) -> None:
    tape, kept = simulated([MARKETS[name]], minutes=6), Kept()

    async def session() -> None:
        wall = Wall(SPEED, (tape.start - 2_000) * 1_000_000)
        simulator = Simulator(tape, wall)
        await simulator.start()
        stop, at = asyncio.Event(), exchange(name, **simulator.addresses(name))
        driver = Driver(at, [MARKETS[name]], STREAMS, STREAMED.get(name, "1m"), kept, wall)
        running = asyncio.create_task(driver.run(stop))
        await simulator.over.wait()
        await wall.sleep(15)  # of the tape's time: what is under way comes to its end
        stop.set()
        await running
        await simulator.close()
        assert simulator.missed == set()

    asyncio.run(session())
    facts = [(one.ts, one.price, one.amount, one.side) for one in kept.of(TRADE)]
    assert facts == [(one.ts, one.price, one.amount, one.side) for one in tape.trades()]
    assert len(kept.of(QUOTE)) == len([one for one in tape.records if isinstance(one, QUOTE)])
    candles = longer(tape.candles(), MARKETS[name], STREAMED.get(name, "1m"))[:-1]  # the last one may not have ended
    assert kept.of(CANDLE)[: len(candles)] == [PROTOCOLS[name]().told(one) for one in candles]
