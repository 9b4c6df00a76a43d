"""The candles of the benchmark: a seeded random walk, and the real ones where ../shared/data is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

REAL = Path(__file__).resolve().parents[2] / "shared/data/candles/btc-perp-20211231-20220201-1m.csv.gz"
START_MS = 1_609_459_200_000  # 2021-01-01
GRID = 0.5


def random_walk(path: Path, rows: int, seed: int) -> Path:
    """Write ``rows`` one-minute candles from 2021-01-01 on, as Parquet: date (open time, ms), open, …, volume.

    Prices start at 46,000, stay above 5,000 and lie on a grid of 0.5, so that sums of closes are exact in every
    library: two averages are equal for one of them exactly when they are for all. One open in five is off the last
    close, by a few units. The volume is large enough for any simulated book.
    """
    rng = np.random.default_rng(seed)
    free = 46_000 + np.cumsum(rng.normal(0, 30, rows))
    close = _grid(5_000 + np.abs(free - 5_000))
    gap = np.where(rng.random(rows) < 0.2, rng.normal(0, 5, rows), 0)
    open_ = np.maximum(_grid(np.concatenate(([46_000.0], close[:-1])) + gap), GRID)
    high = np.maximum(open_, close) + _grid(np.abs(rng.normal(0, 10, rows)))
    low = np.maximum(np.minimum(open_, close) - _grid(np.abs(rng.normal(0, 10, rows))), GRID)
    columns = {
        "date": START_MS + 60_000 * np.arange(rows),
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": _grid(1_000 + rng.exponential(100, rows)),
    }
    pa.parquet.write_table(pa.table(columns), path)
    return path


def real(path: Path) -> Path | None:
    """Write the real candles as Parquet with the same columns; None where they are not at hand."""
    if not REAL.exists():
        return None
    table = pa.csv.read_csv(REAL)
    date = table.column("timestamp").cast(pa.timestamp("ms")).cast(pa.int64())
    pa.parquet.write_table(table.drop_columns(["timestamp"]).add_column(0, "date", date), path)
    return path


def prefix(source: Path, rows: int, path: Path) -> Path:
    """Write the first ``rows`` candles of a file."""
    pa.parquet.write_table(pa.parquet.read_table(source).slice(0, rows), path)
    return path


def rows_of(path: Path) -> int:
    """Rows of a Parquet file, by its footer."""
    return int(pa.parquet.read_metadata(path).num_rows)


def _grid(prices: np.ndarray) -> np.ndarray:
    return np.round(prices / GRID) * GRID
