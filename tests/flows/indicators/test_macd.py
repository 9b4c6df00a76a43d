from __future__ import annotations

from collections.abc import Callable

import pytest
import talib

from flows.columns import Candles
from flows.indicators.macd import MACD, Lines


@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (3, 50, 1), (5, 6, 20)])
def test_agrees_with_talib(
    real: Candles,
    in_batches: Callable[..., Lines],
    assert_agree: Callable[..., None],
    fast: int,
    slow: int,
    signal: int,
) -> None:
    macd = MACD(fast, slow, signal)
    theirs = talib.MACD(real.close, fast, slow, signal)
    for ours, other in zip(in_batches(macd, real), theirs, strict=True):
        assert_agree(ours, other, macd.warmup, unit=1e-2)  # a difference of prices around 40,000


def test_is_zero_on_a_flat_market() -> None:
    macd, signal, histogram = MACD(2, 3, 2)(Candles.of([0.5] * 6))
    assert macd[3:].tolist() == signal[3:].tolist() == histogram[3:].tolist() == [0.0] * 3


def test_the_fast_average_must_be_the_shorter_one() -> None:
    with pytest.raises(ValueError, match="fast is 26 and slow is 12"):
        MACD(26, 12, 9)
