"""`make bench`: penstock and its peers side by side, growth, risk rules, indicators; `--write` writes the page.

Takes about eight minutes. Peers have an environment of their own, made by `make peers`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import candles
import racers
import risk
import trades
from growth import growth
from machine import machine
from page import Results, page
from race import race

DOCS = racers.HERE.parent / "docs/benchmarks.md"
MANY, FEW, GROWTH = (10, 20), (100, 500), (20, 100)
SIZES = (1, 10, 100, 1000)


def main() -> None:
    """All sides in turns; the tables to stdout, with ``--write`` the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md, too")
    parser.add_argument("--rounds", type=int, default=3, help="of everything [3]")
    parser.add_argument("--rows", type=int, default=525_600, help="candles of the random walk [a year]")
    arg = parser.parse_args()
    if not racers.PEER_PYTHON.exists():
        sys.exit("the peers are not installed: run make peers")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        results = measured(Path(name), arg.rows, arg.rounds, load)
    text = page(results)
    print(text)
    if arg.write:
        DOCS.write_text(text)
        say(f"written: {DOCS}")


def measured(folder: Path, rows: int, rounds: int, load: float) -> Results:
    """Everything, in a temporary folder."""
    walk = candles.random_walk(folder / "walk.parquet", rows, seed=1)
    real = candles.real(folder / "real.parquet")
    warm_up(folder)
    many = race("SMA 10/20 cross", "random walk", walk, MANY, rounds, folder, say)
    few = race("SMA 100/500 cross", "random walk", walk, FEW, rounds, folder, say)
    market = None if real is None else race("SMA 10/20 cross", "real candles", real, MANY, rounds, folder, say)
    sizes = growth(SIZES, 1_000_000, GROWTH, rounds, folder, say)
    (folder / "light").mkdir()
    light = growth(SIZES, 100_000, MANY, rounds, folder / "light", say)
    source = (walk, "a random walk") if real is None else (real, "real candles")
    rules = risk.measure(folder, *source, rounds, say)
    bars = trades.measure(folder, rounds, say, (trades.TRADES, trades.FEW, trades.FRAMES))
    say("indicators")
    code = "import indicators, json; print(json.dumps(indicators.measure()))"
    found, *_ = racers.pinned([sys.executable, "-c", code], racers.HERE)
    versions = ", ".join(side.version for side in many.figures.values())
    head = [*machine(load), f"Python {platform.python_version()}; {versions}"]
    return Results(head, rounds, many, few, market, sizes, light, rules, json.loads(found), bars)


def warm_up(folder: Path) -> None:
    """Run every side once on few candles, so that what can be compiled and cached is."""
    path = candles.random_walk(folder / "small.parquet", 5_000, seed=0)
    race("warming up", "random walk", path, MANY, 1, folder, say)


def say(text: str) -> None:
    """Progress, apart from the tables."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
