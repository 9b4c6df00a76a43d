from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import talib

from flows.columns import Candles, Floats
from flows.indicators.cci import CCI


def exact(candles: Candles, length: int) -> Floats:
    """The definition in rational arithmetic, from the typical prices as floats."""
    typical = [Fraction(p) for p in ((candles.high + candles.low + candles.close) / 3.0).tolist()]
    out = np.full(len(typical), np.nan)
    for i in range(length - 1, len(typical)):
        window = typical[i - length + 1 : i + 1]
        mean = sum(window, Fraction(0)) / length
        deviation = sum((abs(p - mean) for p in window), Fraction(0)) / length
        out[i] = float((typical[i] - mean) / (Fraction("0.015") * deviation)) if deviation else 0.0
    return out


@pytest.mark.parametrize("length", [2, 20, 200])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    cci = CCI(length)
    assert_agree(in_batches(cci, real), talib.CCI(real.high, real.low, real.close, length), cci.warmup, unit=1.0)


@pytest.mark.parametrize("length", [2, 20])
def test_agrees_with_exact_arithmetic(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    rows = real[:1500]
    assert_agree(in_batches(CCI(length), rows), exact(rows, length), length - 1)


def test_is_0_on_a_flat_market() -> None:
    assert CCI(3)(Candles.of([0.1] * 5)).tolist()[2:] == [0.0] * 3
