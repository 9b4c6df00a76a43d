"""The command as a user types it: ``penstock`` in a process of its own, in a folder of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PENSTOCK = str(Path(sys.executable).with_name("penstock"))
START = 1_704_067_200_000  # 2024-01-01T00:00:00Z
MINUTE = 60_000

Rows = list[tuple[int, float, float, float, float, float]]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def environment(**changes: str) -> dict[str, str]:
    """The environment without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("PENSTOCK")}
    return {**kept, "COLUMNS": "120", "NO_COLOR": "1", **changes}


def penstock(folder: Path, *words: str | Path, **environ: str) -> Result:
    """Run ``penstock WORDS`` in a folder, to its end."""
    done = subprocess.run(
        [PENSTOCK, *map(str, words)],
        cwd=folder,
        env=environment(**environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def candles(count: int, step_ms: int = MINUTE, price: float = 100.0, phase: float = 0.0) -> Rows:
    """Open times and consistent candles of a price that swings, so that averages cross every few dozen rows."""
    at = np.arange(count + 1) + phase
    close: NDArray[np.float64] = np.round(price * (1 + 0.05 * np.sin(at / 31) + 0.02 * np.sin(at / 7)), 2)
    wick = np.round(price * 0.001 * (1 + np.arange(count) % 3), 2)
    high = np.round(np.maximum(close[:-1], close[1:]) + wick, 2)
    low = np.round(np.minimum(close[:-1], close[1:]) - wick, 2)
    ts = START + step_ms * np.arange(count)
    volume = np.full(count, 5.0)
    columns = (ts, close[:-1], high, low, close[1:], volume)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def csv_lines(rows: Rows) -> list[str]:
    """Rows as lines of a CSV file, without its header."""
    return [",".join(map(repr, row)) for row in rows]


def write_csv(path: Path, rows: Rows | list[str]) -> Path:
    """Write rows, or lines, below a header."""
    lines = [row if isinstance(row, str) else ",".join(map(repr, row)) for row in rows]
    path.write_text("\n".join(["ts,open,high,low,close,volume", *lines, ""]), encoding="utf-8")
    return path
