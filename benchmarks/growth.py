"""Growth: what a candle costs and how much memory a symbol takes, from one symbol to a thousand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import racers
from candles import random_walk
from race import RUN, Say
from racers import Run


@dataclass(frozen=True)
class Size:
    """A number of symbols: medians over the rounds."""

    symbols: int
    rows: int
    seconds: float
    whole: float
    peak_mb: float
    trades: int


def growth(
    sizes: tuple[int, ...], total: int, averages: tuple[int, int], rounds: int, folder: Path, say: Say
) -> list[Size]:
    """Replay ``total`` candles of each number of symbols, in turns. One file a symbol, all over the same minutes."""
    markets = {symbols: _market(symbols, total // symbols, folder / f"market-{symbols}") for symbols in sizes}
    runs: dict[int, list[Run]] = {symbols: [] for symbols in sizes}
    trades: dict[int, int] = {}
    for turn in range(rounds):
        for symbols, market in markets.items():
            say(f"growth, round {turn + 1}: {symbols} symbols")
            runs[symbols].append(racers.penstock(market, racers.settings(*averages), folder / "run"))
            trades[symbols] = len(racers.positions(folder / "run"))
    return [
        Size(
            symbols,
            done[-1].rows,
            median(sum(run.phases[phase] for phase in RUN) for run in done),
            median(run.whole for run in done),
            median(run.peak_mb for run in done),
            trades[symbols],
        )
        for symbols, done in runs.items()
    ]


def _market(symbols: int, rows: int, folder: Path) -> list[Path]:
    folder.mkdir()
    return [random_walk(folder / f"S{number:04}_USDT-1m.parquet", rows, seed=number) for number in range(symbols)]
