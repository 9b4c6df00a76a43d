"""What the tests of indicators share: real candles, a run in uneven batches, and what agreement means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as csv
import pytest

from flows.columns import Candles, Floats


@pytest.fixture(scope="session")
def real(shared_data: Path) -> Candles:
    """45,031 real 1m candles of one symbol."""
    path = shared_data / "candles/btc-perp-20211231-20220201-1m.csv.gz"
    table = csv.read_csv(path)
    opened = table["timestamp"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    prices = [table[name].to_numpy().astype(np.float64) for name in ("open", "high", "low", "close", "volume")]
    return Candles(np.zeros(len(opened), np.int32), 1, opened + 60_000, *prices)


def _in_batches(module: Callable[..., Any], candles: Candles, *columns: Floats) -> Any:
    draw = np.random.default_rng(len(candles))
    found: list[Any] = []
    at = 0
    while at < len(candles):
        rows = slice(at, at + int(draw.choice([1, 2, 5, 40, 5000])))
        found.append(module(candles[rows], *(column[rows] for column in columns)))
        at = rows.stop
    if isinstance(found[0], tuple):
        return type(found[0])(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    return np.concatenate(found)


@pytest.fixture
def in_batches() -> Callable[..., Any]:
    """``in_batches(module, candles, *columns)``: what the module gives for candles that come in uneven batches."""
    return _in_batches


def _agree(ours: Floats, theirs: Floats, warmup: int, unit: float = 0.0) -> None:
    assert len(ours) == len(theirs)
    assert np.isnan(ours[:warmup]).all()
    assert np.isnan(theirs[:warmup]).all()
    assert np.isfinite(ours[warmup:]).all()
    error = np.abs(ours[warmup:] - theirs[warmup:])
    allowed = 1e-9 * np.maximum(np.abs(theirs[warmup:]), unit)
    worst = int(np.argmax(error - allowed))
    assert (error <= allowed).all(), f"row {warmup + worst}: {ours[warmup + worst]} is not {theirs[warmup + worst]}"


@pytest.fixture
def assert_agree() -> Callable[..., None]:
    """``assert_agree(ours, theirs, warmup, unit=0)``: NaN for exactly ``warmup`` rows, then equal to 1e-9 relative.

    ``unit`` is for lines that pass through zero, where the other side is left with the rounding errors of its larger
    terms: values below it are compared to 1e-9 of it.
    """
    return _agree
