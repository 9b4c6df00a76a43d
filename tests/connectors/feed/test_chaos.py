"""A simulated exchange that does everything wrong: the candles are those of an undisturbed run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from connectors.exchanges.registry import exchange
from connectors.feed.recorded import recorded
from schemas.wire import encode
from sinks.capture import Capture
from tests.exchange.server import PROTOCOLS, Kind, Mischief, Simulator
from tests.exchange.session import Kept, candles_made, late, session
from tests.exchange.tape import MINUTE, START, Tape, candles_of, longer, simulated
from tests.exchange.test_protocols import MARKETS, STREAMED

LATENESS = 30_000


def mischiefs(start: int, minutes: int) -> list[Mischief]:
    """Each kind once in a stretch of a quarter of an hour, and some of them together."""
    counts = {"duplicate": 20, "reorder": 10, "swallow": 5, "unknown": 6, "truncate": 3, "wrong": 2, "refuse": 8}
    kinds: tuple[Kind, ...] = get_args(Kind)
    some = [
        Mischief(start + MINUTE + stretch * 900_000 + at * 50_000, kind, counts.get(kind, 2))
        for stretch in range(minutes // 15)
        for at, kind in enumerate(kinds)
    ]
    late = start + (minutes - 2) * MINUTE
    return [*some, Mischief(late, "5xx", 3), Mischief(late + 500, "swallow", 30), Mischief(late + 9_000, "drop")]


def judge(name: str, symbols: Sequence[str], tape: Tape, kept: Kept, simulator: Simulator, folder: Path) -> None:
    """All that must be so after a session, whatever went wrong in it."""
    told = [
        PROTOCOLS[name]().told(one)
        for symbol in symbols
        for one in longer(tape.candles(), symbol, STREAMED.get(name, "1m"))
    ]
    ended = max(one.ts for one in told)  # where no candle is marked as closed, a later one has to begin
    closed = [replace(one, bid=None, ask=None) for one in kept.of("candles") if one.ts < ended]
    assert sorted(closed, key=lambda one: (one.symbol, one.ts)) == [one for one in told if one.ts < ended]
    gaps = kept.alerts("FEED_GAP")
    assert len(gaps) == Counter(one.name for one in kept.of("metrics"))["feed_gap"]
    trades = [one for one in gaps if one.figures["records"] == "trades"]
    again = [item for _, out in recorded(folder) for item in out]
    assert [(topic, encode(one)) for topic, one in again] == [(topic, encode(one)) for topic, one in kept.out]
    assert late(kept.out, LATENESS) == []
    if not exchange(name).limits.trades_per_request:  # what is missing there cannot be had, and has no numbers
        assert trades
        assert {one.figures["lost"] for one in trades} == {"unknown"}
        assert {one.level for one in trades} == {"critical"}
        return
    assert candles_made(kept.out) == candles_of(tape.trades())
    assert {one.figures["lost"] for one in trades} == {0}
    # Each trade that no frame brought is in one of the holes; what was only late may be in one, too.
    filled = {
        (one.symbol, str(number))
        for one in trades
        for number in range(int(one.figures["first"]), int(one.figures["last"]) + 1)
    }
    assert simulator.missed <= filled


def chaos(name: str, minutes: int, folder: Path, symbols_per_socket: int, seed: int = 1) -> None:
    symbols = (MARKETS[name], MARKETS[name].replace("BTC", "ETH"))
    tape = simulated(symbols, minutes, seed)
    kept = Kept(Capture(folder, name))
    simulator = session(name, symbols, tape, mischiefs(START, minutes), kept, symbols_per_socket)
    assert kept.capture is not None
    kept.capture.close()
    assert set(simulator.done) == set(get_args(Kind))
    assert min(simulator.done.values()) >= minutes // 15
    assert simulator.missed
    judge(name, symbols, tape, kept, simulator, folder)


@pytest.mark.parametrize("symbols_per_socket", [1, 2])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_quarter_of_an_hour_of_chaos(tmp_path: Path, name: str, symbols_per_socket: int) -> None:
    chaos(name, 15, tmp_path, symbols_per_socket)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_hour_of_chaos(tmp_path: Path, name: str, seed: int) -> None:
    chaos(name, 60, tmp_path, 1 + seed % 2, seed)
