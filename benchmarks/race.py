"""One race: all sides on the same candles and strategy, in turns over several rounds, their trades compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import racers
from candles import prefix, rows_of
from racers import Run, Trade

FILES = ("read", "signals", "simulate", "records", "trades", "equity")
"""Phases of a peer from the Parquet file to the CSV files of trades and equity."""

MEMORY = ("signals", "simulate")
"""Phases of a peer from candles in memory to a finished simulation in memory."""

RUN = ("read", "flow", "gather", "summary")
"""Phases of a replay from the Parquet file to the finished run folder; its other phases are parts of ``flow``."""

SHORT = 50_000
"""Candles at most for nautilus_trader: its one position, reversed again and again, is slower the longer it lives."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Figures:
    """One side of a race: medians over its rounds, seconds. ``memory`` is None where a side has no such figure."""

    name: str
    rows: int
    count: int
    memory: float | None
    files: float
    whole: float
    peak_mb: float
    phases: dict[str, float]
    version: str
    slower: float
    """How many times as long a candle as penstock it took for the same job, median of the rounds."""
    equal: str


@dataclass(frozen=True)
class Race:
    """A finished race."""

    title: str
    candles: str
    rows: int
    figures: dict[str, Figures]


def race(title: str, what: str, path: Path, averages: tuple[int, int], rounds: int, folder: Path, say: Say) -> Race:
    """Run all sides, A B C A B C …, ``rounds`` times, and compare what they did last."""
    names = ["penstock", *racers.SCRIPTS]
    short = prefix(path, SHORT, folder / "short.parquet")
    runs: dict[str, list[Run]] = {name: [] for name in names}
    done: dict[str, list[Any]] = {}
    out = folder / "run"
    for turn in range(rounds):
        for name in names:
            say(f"{title}, {what}, round {turn + 1}: {name}")
            if name == "penstock":
                run = racers.penstock([path], racers.settings(*averages), out)
                done["next_open"], done["signals"] = racers.positions(out), racers.signals(out)
            else:
                run = racers.peer(name, short if name == "nautilus_trader" else path, *averages, folder)
                done[name] = run.done
            runs[name].append(run)
    say(f"{title}, {what}: penstock with fills at the close, to compare with nautilus_trader")
    racers.penstock([short], racers.settings(*averages, fill_at="close"), out)
    done["close"] = racers.positions(out)
    return Race(title, what, rows_of(path), {name: _figures(name, runs, done) for name in names})


def difference(ours: list[Trade], theirs: list[Trade]) -> str | None:
    """None when the trades are the same: times, sides and quantities exactly, money to 1e-9 of it."""
    for row, (mine, its) in enumerate(zip(ours, theirs, strict=False)):
        exact = (mine.entry_time, mine.exit_time, mine.side, mine.quantity)
        if exact != (its.entry_time, its.exit_time, its.side, its.quantity):
            return f"trade {row}: {mine} against {its}"
        for name in ("entry_price", "exit_price", "pnl", "fees"):
            if not math.isclose(getattr(mine, name), getattr(its, name), rel_tol=1e-9):
                return f"trade {row}: {name} {getattr(mine, name)!r} against {getattr(its, name)!r}"
    if len(ours) != len(theirs):
        return f"{len(ours)} trades against {len(theirs)}"
    return None


def _figures(name: str, runs: dict[str, list[Run]], done: dict[str, list[Any]]) -> Figures:
    own = runs[name]
    files = RUN if name == "penstock" else FILES
    timed = [phases for run in own for phases in (run.warm or [run.phases])]
    names = dict.fromkeys(phase for phases in timed for phase in phases)
    ours = [_job(run, RUN) / run.rows for run in runs["penstock"]]
    return Figures(
        name=name,
        rows=own[-1].rows,
        count=len(done["next_open" if name == "penstock" else name]),
        memory=None if name == "penstock" else median(_sum(phases, MEMORY) for phases in timed),
        files=median(_job(run, files) for run in own),
        whole=median(run.whole for run in own),
        peak_mb=median(run.peak_mb for run in own),
        phases={phase: median(phases.get(phase, 0.0) for phases in timed) for phase in names},
        version=own[-1].version,
        slower=median(_job(run, files) / run.rows / mine for run, mine in zip(own, ours, strict=True)),
        equal=_equal(name, done),
    )


def _job(run: Run, wanted: Iterable[str]) -> float:
    """Seconds of the whole job in one process; of its warm runs, where it has some."""
    return median(_sum(phases, wanted) for phases in (run.warm or [run.phases]))


def _sum(phases: dict[str, float], wanted: Iterable[str]) -> float:
    return sum(phases.get(name, 0.0) for name in wanted)


def _equal(name: str, done: dict[str, list[Any]]) -> str:
    if name == "penstock":
        return "-"
    if name == "csp":
        return "same crossings" if done[name] == done["signals"] else "NO: other crossings"
    found = difference(done["close" if name == "nautilus_trader" else "next_open"], done[name])
    if found:
        return f"NO: {found}"
    return "equal, filled at the close" if name == "nautilus_trader" else "equal"
