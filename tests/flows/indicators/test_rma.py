from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles, Floats
from flows.indicators.rma import RMA


def wilder(x: Floats, length: int) -> Floats:
    """As Wilder writes it: the last average times length - 1, plus today's value, over length."""
    out = np.full(len(x), np.nan)
    out[length - 1] = sum(x[:length].tolist()) / length
    for i in range(length, len(x)):
        out[i] = (out[i - 1] * (length - 1) + x[i]) / length
    return out


@pytest.mark.parametrize("length", [1, 2, 14, 100])
def test_agrees_with_wilders_recurrence(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    rma = RMA(length)
    assert_agree(in_batches(rma, real), wilder(real.close, length), rma.warmup)


def test_agrees_with_talib_where_it_smooths_the_true_range(real: Candles, assert_agree: Callable[..., None]) -> None:
    rows = real[:5000]
    span = talib.TRANGE(rows.high, rows.low, rows.close)
    assert_agree(RMA(14)(rows, span), talib.ATR(rows.high, rows.low, rows.close, 14), 14)


def test_starts_from_the_mean_of_the_first_values() -> None:
    assert RMA(2)(Candles.of([1.0, 3.0, 6.0, 8.0])).tolist()[1:] == [2.0, 4.0, 6.0]
