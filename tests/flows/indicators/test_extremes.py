from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.extremes import Highest, Lowest


@pytest.mark.parametrize("length", [2, 20, 200])
def test_agree_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    assert_agree(in_batches(Highest(length), real), talib.MAX(real.high, length), length - 1)
    assert_agree(in_batches(Lowest(length), real), talib.MIN(real.low, length), length - 1)


def test_are_those_of_the_window() -> None:
    candles = Candles.of([3.0, 1.0, 2.0, 5.0, 4.0])
    assert Highest(3)(candles).tolist()[2:] == [3.0, 5.0, 5.0]
    assert Lowest(3)(candles).tolist()[2:] == [1.0, 1.0, 2.0]


def test_negative_values_are_ordered_too() -> None:
    candles = Candles.of([1.0] * 3)
    assert Highest(2)(candles, np.array([-3.0, -1.0, -2.0])).tolist()[1:] == [-1.0, -1.0]
    assert Lowest(2)(candles, np.array([-3.0, -1.0, -2.0])).tolist()[1:] == [-3.0, -2.0]


def test_a_length_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="length is 0"):
        Highest(0)
