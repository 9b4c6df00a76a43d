from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import talib

from flows.columns import Candles, Floats
from flows.indicators.slope import Line, Slope


def exact(x: Floats, length: int) -> Floats:
    """Least squares in rational arithmetic."""
    out = np.full(len(x), np.nan)
    values = [Fraction(value) for value in x.tolist()]
    centre = Fraction(length - 1, 2)
    spread = sum((j - centre) ** 2 for j in range(length))
    for i in range(length - 1, len(values)):
        out[i] = float(sum((j - centre) * values[i - length + 1 + j] for j in range(length)) / spread)
    return out


@pytest.mark.parametrize("length", [2, 14, 100])
def test_agrees_with_talib(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    slope = Slope(length)
    assert_agree(in_batches(slope, real), talib.LINEARREG_SLOPE(real.close, length), slope.warmup)


@pytest.mark.parametrize("length", [2, 14, 100])
def test_agrees_with_exact_arithmetic_on_a_high_price_level(
    real: Candles, in_batches: Callable[..., np.ndarray], assert_agree: Callable[..., None], length: int
) -> None:
    candles = Candles.of(1e6 / 3 + real.close[:1500] / 7001)
    assert_agree(in_batches(Slope(length), candles), exact(candles.close, length), length - 1)


def test_talib_is_the_one_that_is_off_where_the_two_differ(real: Candles) -> None:
    # It multiplies the price level into its sums: harmless on multiples of 0.5, not on prices of 53 bits.
    candles = Candles.of(1e6 / 3 + real.close[:1500] / 7001)
    truth = exact(candles.close, 14)[13:]
    moving = truth != 0.0
    theirs = talib.LINEARREG_SLOPE(candles.close, 14)[13:]
    assert np.max(np.abs(theirs - truth)[moving] / np.abs(truth)[moving]) > 1e-6
    assert np.max(np.abs(Slope(14)(candles)[13:] - truth)[moving] / np.abs(truth)[moving]) < 1e-12


def test_a_straight_line_has_its_own_slope() -> None:
    assert Slope(5)(Candles.of([10.0 - 0.5 * i for i in range(9)])).tolist()[4:] == [-0.5] * 5


def test_the_line_of_one_value_is_flat() -> None:
    mean, slope = Line(1)(Candles.of([4.0, 7.0]))
    assert (mean.tolist(), slope.tolist()) == ([4.0, 7.0], [0.0, 0.0])


def test_the_slope_of_one_value_is_refused() -> None:
    with pytest.raises(ValueError, match="length is 1"):
        Slope(1)
