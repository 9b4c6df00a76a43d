from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.adx import ADX, Directional


@pytest.mark.parametrize("length", [2, 14, 50])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., Directional], assert_agree: Callable[..., None], length: int
) -> None:
    adx = ADX(length)
    found = in_batches(adx, real)
    prices = real.high, real.low, real.close
    assert_agree(found.adx, talib.ADX(*prices, length), adx.warmup)
    assert_agree(found.plus, talib.PLUS_DI(*prices, length), length)
    assert_agree(found.minus, talib.MINUS_DI(*prices, length), length)


def test_agrees_with_talib_through_a_market_that_stands_still(assert_agree: Callable[..., None]) -> None:
    draw = np.random.default_rng(5)
    moves = np.concatenate([np.zeros(3), draw.normal(size=12), np.zeros(40), draw.normal(size=20), np.zeros(20)])
    close = 100.0 + np.cumsum(moves)
    candles = Candles.of(close)
    assert_agree(ADX(4)(candles).adx, talib.ADX(close, close, close, 4), 7)


def test_is_100_when_every_candle_goes_the_same_way() -> None:
    found = ADX(2)(Candles.of([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert found.adx.tolist()[3:] == [100.0, 100.0]
    assert found.plus.tolist()[2:] == [100.0, 100.0, 100.0]
    assert found.minus.tolist()[2:] == [0.0, 0.0, 0.0]


def test_is_0_when_nothing_has_moved() -> None:
    assert [column.tolist()[3:] for column in ADX(2)(Candles.of([5.0] * 5))] == [[0.0, 0.0]] * 3


def test_a_length_below_two_is_refused() -> None:
    with pytest.raises(ValueError, match="length is 1"):
        ADX(1)
