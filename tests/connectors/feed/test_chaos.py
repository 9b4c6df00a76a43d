"""An hour of a simulated exchange that does everything wrong: the candles are those of a clean hour."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest

from connectors.exchanges.interface import TRADE
from connectors.exchanges.registry import exchange
from connectors.feed import hole, ticks
from connectors.feed.driver import Driver
from connectors.feed.recorded import recorded
from connectors.feed.reports import Out
from connectors.feed.wall import Wall
from schemas.capture import NANOS, Line
from schemas.wire import encode
from sinks.capture import Capture
from tests.exchange.server import PROTOCOLS, Kind, Mischief, Simulator
from tests.exchange.tape import MINUTE, START, Tape, candles_of, simulated

SYMBOLS = ("BTC/USDT", "ETH/USDT")
LATENESS = MINUTE


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


async def session(name: str, tape: Tape, mischief: list[Mischief], ends: Kept, speed: float = 360) -> Simulator:
    wall = Wall(speed, (tape.start - 2_000) * 1_000_000)
    simulator = Simulator(tape, wall, mischief, skew_ms=1_200)
    await simulator.start()
    stop = asyncio.Event()
    at = exchange(name, **simulator.addresses(name))
    driver = Driver(at, SYMBOLS, ("trades", "quotes", "candles"), "1m", ends, wall)
    running = asyncio.create_task(driver.run(stop))
    ended = asyncio.create_task(simulator.over.wait())
    await asyncio.wait([running, ended], return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        await wall.sleep(90)  # of the tape's time: what is under way comes to its end
    stop.set()
    await running
    await simulator.close()
    return simulator


def candles_by_watermark(out: Sequence[Out]) -> list[Any]:
    """Candles as an operator makes them that reads the topic in order. No trade may come after its minute closed."""
    watermark, late, seen = 0, [], {}
    for topic, record in out:
        if topic != "trades":
            continue
        if isinstance(record, TRADE):
            if (record.ts // MINUTE + 1) * MINUTE <= watermark:
                late.append(record)
            assert (record.symbol, record.id) not in seen
            seen[record.symbol, record.id] = record
        watermark = max(watermark, record.ts - LATENESS)
    assert late == []
    return candles_of(seen.values())


def mischiefs(start: int) -> list[Mischief]:
    """Each kind several times in the hour, and some of them together."""
    kinds: list[tuple[Any, int]] = [
        *(("drop", 1), ("duplicate", 20), ("reorder", 10), ("swallow", 5), ("unknown", 6), ("truncate", 3)),
        *(("close", 1), ("wrong", 2), ("garbage", 1), ("stall", 1), ("429", 2), ("500", 2), ("refuse", 8)),
    ]
    some = [
        Mischief(start + 90_000 + round_ * 1_050_000 + at * 78_000, kind, count)
        for round_ in range(3)
        for at, (kind, count) in enumerate(kinds)
    ]
    late = start + 58 * MINUTE
    return [*some, Mischief(late, "500", 3), Mischief(late + 500, "swallow", 30), Mischief(late + 9_000, "drop")]


def test_an_hour_of_chaos_gives_the_candles_of_a_clean_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The hour is short, but the machine takes no less time to answer: a tenth of a second is more than half a minute.
    monkeypatch.setattr(hole, "PATIENCE_NS", 1_000 * NANOS)
    monkeypatch.setattr(ticks, "HOLD_NS", 1_000 * NANOS)
    tape = simulated(SYMBOLS)
    kept = Kept(Capture(tmp_path, "binance"))
    simulator = asyncio.run(session("binance", tape, mischiefs(START), kept))
    assert kept.capture is not None
    kept.capture.close()
    assert simulator.missed
    assert min(simulator.done.values()) >= 3
    assert set(simulator.done) == set(get_args(Kind))
    assert candles_by_watermark(kept.out) == candles_of(tape.trades())
    told = [PROTOCOLS["binance"]().told(one) for one in tape.candles()]
    assert sorted(kept.of("candles"), key=lambda one: (one.ts, one.symbol)) == told
    gaps = [one for one in kept.of("alerts") if one.code == "FEED_GAP"]
    counts = Counter(one.name for one in kept.of("metrics"))
    assert len(gaps) == counts["feed_gap"]
    trades = [one.figures for one in gaps if one.figures["records"] == "trades"]
    assert {one["lost"] for one in trades} == {0}
    # Each trade that no frame brought is in one of the holes; what was only late may be in one, too.
    filled = {
        (one.symbol, str(number))
        for one in gaps
        if one.figures["records"] == "trades"
        for number in range(int(one.figures["first"]), int(one.figures["last"]) + 1)
    }
    assert simulator.missed <= filled
    again = [item for _, out in recorded(tmp_path) for item in out]
    assert [(topic, encode(one)) for topic, one in again] == [(topic, encode(one)) for topic, one in kept.out]
