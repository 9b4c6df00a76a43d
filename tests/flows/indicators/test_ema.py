from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.ema import EMA, smooth


@pytest.mark.parametrize("length", [2, 20, 200])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    ema = EMA(length)
    assert_agree(in_batches(ema, real), talib.EMA(real.close, length), ema.warmup)


def test_starts_from_the_mean_of_the_first_values() -> None:
    assert EMA(3)(Candles.of([1.0, 2.0, 6.0, 7.0, 1.0])).tolist()[2:] == [3.0, 5.0, 3.0]


def test_an_average_of_an_average_skips_its_warmup() -> None:
    candles = Candles.of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert EMA(2)(candles, EMA(3)(candles)).tolist()[3:] == [2.5, 3.5, 4.5]


def test_smooth_sums_until_it_has_seen_enough() -> None:
    assert smooth(3.0, 1, 4.0, 3, 0.5) == 7.0
    assert smooth(7.0, 2, 2.0, 3, 0.5) == 3.0
    assert smooth(3.0, 3, 4.0, 3, 0.5) == 3.5


def test_a_length_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="length is 0"):
        EMA(0)
