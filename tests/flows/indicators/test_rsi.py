from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.rsi import RSI


@pytest.mark.parametrize("length", [2, 14, 50])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    rsi = RSI(length)
    assert_agree(in_batches(rsi, real), talib.RSI(real.close, length), rsi.warmup)


def test_is_100_when_only_rising_and_0_when_only_falling() -> None:
    assert RSI(3)(Candles.of([1.0, 2.0, 3.0, 4.0])).tolist()[3:] == [100.0]
    assert RSI(3)(Candles.of([4.0, 3.0, 2.0, 1.0])).tolist()[3:] == [0.0]


def test_is_0_as_in_talib_while_nothing_has_moved() -> None:
    assert RSI(2)(Candles.of([5.0] * 4)).tolist()[2:] == talib.RSI(np.full(4, 5.0), 2).tolist()[2:] == [0.0, 0.0]


def test_does_not_depend_on_the_unit_of_the_price() -> None:
    close = [1.0, 2.0, 1.5, 1.75, 1.0]
    tiny = [price * 2.0**-60 for price in close]
    assert RSI(2)(Candles.of(tiny)).tolist()[2:] == RSI(2)(Candles.of(close)).tolist()[2:]
