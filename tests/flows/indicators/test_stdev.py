from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from flows.columns import Candles
from flows.indicators.stdev import Stdev


@pytest.mark.parametrize("length", [2, 20, 200])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    stdev = Stdev(length)
    assert_agree(in_batches(stdev, real), talib.STDDEV(real.close, length), stdev.warmup)


def test_divides_by_the_number_of_values() -> None:
    assert Stdev(4)(Candles.of([1.0, 1.0, 3.0, 3.0])).tolist()[3:] == [1.0]
