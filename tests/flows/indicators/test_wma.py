from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.wma import WMA


@pytest.mark.parametrize("length", [2, 20, 200])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    wma = WMA(length)
    assert_agree(in_batches(wma, real), talib.WMA(real.close, length), wma.warmup)


def test_the_newest_value_weighs_most() -> None:
    assert WMA(3)(Candles.of([0.0, 0.0, 6.0, 0.0, 0.0])).tolist()[2:] == [3.0, 2.0, 1.0]


def test_of_one_value_is_the_value() -> None:
    assert WMA(1)(Candles.of([4.0, 7.0])).tolist() == [4.0, 7.0]
