from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.roc import ROC


@pytest.mark.parametrize("length", [1, 10, 200])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    roc = ROC(length)
    assert_agree(in_batches(roc, real), talib.ROC(real.close, length), roc.warmup)


def test_is_in_percent_of_the_old_value() -> None:
    assert ROC(2)(Candles.of([2.0, 9.0, 3.0, 4.5])).tolist()[2:] == [50.0, -50.0]


def test_is_0_as_in_talib_where_the_old_value_is_0() -> None:
    x = np.array([0.0, 5.0])
    assert ROC(1)(Candles.of(x)).tolist()[1:] == talib.ROC(x, 1).tolist()[1:] == [0.0]
