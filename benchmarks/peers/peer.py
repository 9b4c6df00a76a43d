"""What the peer scripts share: their arguments, the candles, the clock of the phases, the trades as CSV.

Every script runs the same job on a Parquet file of candles (``date``: open time in epoch ms, ``open``, ``high``,
``low``, ``close``, ``volume``) and prints one line of JSON. The job: a crossing of two simple moving averages, long on
the way up, short on the way down, a fixed quantity, market orders filled at the next candle's open, an optional stop.
Crossings are told by one rule (crossings.py), which is penstock's; entry and exit times are open times of candles.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

Trade = tuple[int, int, str, float, float, float, float, float]
COLUMNS = ("entry_time", "exit_time", "side", "quantity", "entry_price", "exit_price", "pnl", "fees")


@dataclass(frozen=True)
class Job:
    """One run of one peer. ``fee`` is a fraction of the value of a fill; ``stop`` a fraction of the signal's close."""

    candles: Path
    fast: int
    slow: int
    quantity: float
    fee: float
    stop: float | None
    cash: float
    trades: Path | None
    equity: Path | None


@dataclass
class Clock:
    """Seconds spent in each phase of a run, in the order in which the phases came."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def read(job: Job) -> pd.DataFrame:
    """The candles, indexed by open time (UTC)."""
    frame = pd.read_parquet(job.candles)
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame.pop("date"), unit="ms"), name="date")
    return frame


def millis(times: Any) -> Any:
    """Epoch milliseconds of a column of timestamps."""
    return pd.DatetimeIndex(times).as_unit("ms").asi8


def write_trades(path: Path, trades: Sequence[Trade]) -> None:
    """The trades in the columns that every peer writes, floats in full."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(trades)


def run(package: str, once: Callable[[Job, Clock], tuple[int, int, list[Trade] | None]], **note: Any) -> None:
    """Carry out ``once`` as often as asked and print one line of JSON.

    ``once`` gives the count of candles, of signals or trades, and the trades when the job wants them. The first run is
    reported apart from the others, since it may hold compilation.
    """
    parser = argparse.ArgumentParser(description=f"SMA cross with {package}")
    parser.add_argument("candles", type=Path, help="Parquet: date (open time, ms), open, high, low, close, volume")
    parser.add_argument("--fast", type=int, default=10)
    parser.add_argument("--slow", type=int, default=20)
    parser.add_argument("--quantity", type=float, default=1.0)
    parser.add_argument("--fee-pct", type=float, default=0.0, help="of the value, each way; 0.05 = 0.05 %%")
    parser.add_argument("--stop-pct", type=float, default=None, help="distance from the signal's close; 1.0 = 1 %%")
    parser.add_argument("--cash", type=float, default=10_000_000.0)
    parser.add_argument("--trades", type=Path, default=None, help="write the closed trades to this CSV")
    parser.add_argument("--equity", type=Path, default=None, help="write the hourly equity to this CSV, if it can")
    parser.add_argument("--repeat", type=int, default=1, help="runs in this process")
    arg = parser.parse_args()
    stop = None if arg.stop_pct is None else arg.stop_pct / 100
    job = Job(arg.candles, arg.fast, arg.slow, arg.quantity, arg.fee_pct / 100, stop, arg.cash, arg.trades, arg.equity)
    whole = None
    runs: list[dict[str, float]] = []
    rows = count = 0
    for _ in range(arg.repeat):
        clock = Clock()
        rows, count, trades = once(job, clock)
        if job.trades is not None and trades is not None:
            with clock.phase("trades"):
                write_trades(job.trades, trades)
        if whole is None and "BENCH_BEGAN" in os.environ:
            whole = time.time() - float(os.environ["BENCH_BEGAN"])  # interpreter, imports, first run
        runs.append(clock.seconds)
    result = {
        "peer": package,
        "version": version(package),
        "rows": rows,
        "trades": count,
        "whole": whole,
        "first": runs[0],
        "warm": runs[1:],
        **note,
    }
    print(json.dumps(result))
