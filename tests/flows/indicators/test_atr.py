from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.atr import ATR, TrueRange


def test_the_true_range_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None]
) -> None:
    assert_agree(in_batches(TrueRange(), real), talib.TRANGE(real.high, real.low, real.close), TrueRange().warmup)


@pytest.mark.parametrize("length", [1, 14, 100])
def test_the_average_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    atr = ATR(length)
    assert_agree(in_batches(atr, real), talib.ATR(real.high, real.low, real.close, length), atr.warmup)


def test_the_true_range_holds_the_gap_from_the_last_close() -> None:
    assert TrueRange()(Candles.of([1.0, 5.0, 2.0])).tolist()[1:] == [4.0, 3.0]


def test_is_zero_on_a_flat_market() -> None:
    assert ATR(2)(Candles.of([3.0] * 4)).tolist()[2:] == [0.0, 0.0]
