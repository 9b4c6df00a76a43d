from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.sma import SMA


@pytest.mark.parametrize("length", [2, 20, 200])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    sma = SMA(length)
    assert_agree(in_batches(sma, real), talib.SMA(real.close, length), sma.warmup)


def test_is_the_mean_of_the_window() -> None:
    assert SMA(3)(Candles.of([1.0, 2.0, 6.0, 7.0])).tolist()[2:] == [3.0, 5.0]


def test_a_huge_value_leaves_no_rounding_error_behind() -> None:
    out = SMA(4)(Candles.of([0.1] * 5 + [1e18] + [0.1] * 20))
    assert out[9:].tolist() == [0.1] * 17


def test_a_length_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="length is 0: it counts candles and must be at least 1"):
        SMA(0)
