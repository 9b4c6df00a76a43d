from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib
from talib._ta_lib import MA_Type

from flows.columns import Candles
from flows.indicators.stochastic import KD, Stochastic


@pytest.mark.parametrize(("length", "smooth", "signal"), [(14, 3, 3), (5, 1, 3), (50, 10, 5)])
def test_agrees_with_talib(
    real: Candles,
    in_batches: Callable[..., KD],
    assert_agree: Callable[..., None],
    length: int,
    smooth: int,
    signal: int,
) -> None:
    stochastic = Stochastic(length, smooth, signal)
    theirs = talib.STOCH(real.high, real.low, real.close, length, smooth, MA_Type.SMA, signal, MA_Type.SMA)
    for ours, other in zip(in_batches(stochastic, real), theirs, strict=True):
        assert_agree(ours, other, stochastic.warmup, unit=1.0)


def test_is_100_at_the_high_and_0_at_the_low_of_the_window() -> None:
    assert Stochastic(3, 1, 1)(Candles.of([1.0, 2.0, 3.0, 1.0])).k.tolist()[2:] == [100.0, 0.0]


def test_is_0_as_in_talib_where_the_window_has_no_range() -> None:
    flat = np.full(5, 2.0)
    assert Stochastic(2, 1, 1)(Candles.of(flat)).d.tolist()[1:] == [0.0] * 4
    assert talib.STOCH(flat, flat, flat, 2, 1, MA_Type.SMA, 1, MA_Type.SMA)[1].tolist()[1:] == [0.0] * 4
