from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.bands import Bands
from flows.indicators.donchian import Donchian


@pytest.mark.parametrize("length", [2, 20])
def test_agrees_with_talib_and_with_a_plain_window(
    real: Candles, in_batches: Callable[..., Bands], assert_agree: Callable[..., None], length: int
) -> None:
    donchian = Donchian(length)
    found = in_batches(donchian, real)
    upper = np.array(
        [np.nan] * (length - 1) + [max(w) for w in np.lib.stride_tricks.sliding_window_view(real.high, length)]
    )
    lower = np.array(
        [np.nan] * (length - 1) + [min(w) for w in np.lib.stride_tricks.sliding_window_view(real.low, length)]
    )
    np.testing.assert_array_equal(found.upper, upper)
    np.testing.assert_array_equal(found.lower, lower)
    np.testing.assert_array_equal(found.middle, (upper + lower) / 2)
    assert_agree(found.upper, talib.MAX(real.high, length), donchian.warmup)
    assert_agree(found.lower, talib.MIN(real.low, length), donchian.warmup)


def test_a_close_never_lies_outside(real: Candles) -> None:
    bands = Donchian(5)(real)
    assert (real.close[4:] <= bands.upper[4:]).all()
    assert (real.close[4:] >= bands.lower[4:]).all()
