from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def candles(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("candles")


def test_a_seed_gives_the_same_candles_and_another_seed_others(candles: Any, tmp_path: Path) -> None:
    once, again, other = (
        candles.random_walk(tmp_path / name, 500, seed).read_bytes() for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert once == again
    assert once != other


def test_every_candle_is_one_that_penstock_takes(candles: Any, tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(candles.random_walk(tmp_path / "walk", 5_000, seed=3))
    opened, high, low, close, volume = (
        table.column(name).to_numpy() for name in ("open", "high", "low", "close", "volume")
    )
    assert np.diff(table.column("date").to_numpy()).tolist() == [60_000] * 4_999
    assert (high >= np.maximum(opened, close)).all()
    assert (low <= np.minimum(opened, close)).all()
    assert (low > 0).all()
    assert (volume > 0).all()


def test_prices_lie_on_a_grid_that_makes_sums_exact(candles: Any, tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(candles.random_walk(tmp_path / "walk", 5_000, seed=3))
    for name in ("open", "high", "low", "close"):
        assert (table.column(name).to_numpy() % 0.5 == 0).all()


def test_a_prefix_is_the_first_rows(candles: Any, tmp_path: Path) -> None:
    walk = candles.random_walk(tmp_path / "walk", 100, seed=3)
    short = candles.prefix(walk, 7, tmp_path / "short")
    assert pyarrow.parquet.read_table(short).equals(pyarrow.parquet.read_table(walk).slice(0, 7))
    assert candles.rows_of(short) == 7
