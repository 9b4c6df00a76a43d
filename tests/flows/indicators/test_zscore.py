from __future__ import annotations

from collections.abc import Callable
from statistics import fmean, pstdev

import numpy as np
import pytest
import talib

from flows.columns import Candles, Floats
from flows.indicators.zscore import ZScore


def oracle(x: list[float], length: int) -> Floats:
    """The standard library's exact mean and deviation, window by window."""
    windows = [x[i - length : i] for i in range(length, len(x) + 1)]
    scores = [(w[-1] - fmean(w)) / pstdev(w) if pstdev(w) else 0.0 for w in windows]
    return np.array([np.nan] * (length - 1) + scores)


@pytest.mark.parametrize("length", [2, 20])
def test_agrees_with_exact_means_and_deviations(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    rows = real[:1500]
    # Where the close is its own mean the score is 0, or what rounding the mean to a float leaves of 0.
    assert_agree(in_batches(ZScore(length), rows), oracle(rows.close.tolist(), length), length - 1, unit=1e-3)


def test_counts_deviations_from_the_mean() -> None:
    assert ZScore(2)(Candles.of([1.0, 3.0, 1.0])).tolist()[1:] == [1.0, -1.0]


def test_is_zero_on_a_flat_market() -> None:
    assert ZScore(3)(Candles.of([0.1] * 5)).tolist()[2:] == [0.0] * 3
    assert not talib.STDDEV(np.full(5, 0.1), 3)[2:].any()
