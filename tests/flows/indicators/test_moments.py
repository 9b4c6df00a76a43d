from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from flows.columns import Candles, Floats
from flows.indicators.moments import Moments


def exact(x: Floats, length: int) -> Floats:
    """Population standard deviation in rational arithmetic, the root taken with 40 digits."""
    out = np.full(len(x), np.nan)
    values = [Fraction(value) for value in x.tolist()]
    with localcontext() as context:
        context.prec = 40
        for i in range(length - 1, len(values)):
            window = values[i - length + 1 : i + 1]
            mean = sum(window, Fraction(0)) / length
            variance = sum(((value - mean) ** 2 for value in window), Fraction(0)) / length
            out[i] = float((Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt())
    return out


def ugly(real: Candles) -> Candles:
    """Real moves on a price level that is high beside them, with all bits of the mantissa in use."""
    return Candles.of(1e6 / 3 + real.close[:1500] / 7001)


@pytest.mark.parametrize("length", [2, 20, 100])
def test_the_deviation_agrees_with_exact_arithmetic(
    real: Candles, in_batches: Callable[..., tuple[Floats, Floats]], assert_agree: Callable[..., None], length: int
) -> None:
    candles = ugly(real)
    assert_agree(in_batches(Moments(length), candles)[1], exact(candles.close, length), length - 1)


def test_the_deviation_is_exact_to_the_last_digits_whatever_the_price_level(real: Candles) -> None:
    candles = ugly(real)
    truth = exact(candles.close, 20)[19:]
    assert np.max(np.abs(Moments(20)(candles).deviation[19:] - truth) / truth) < 1e-14


def test_the_mean_is_that_of_the_window() -> None:
    assert Moments(3)(Candles.of([1.0, 2.0, 6.0, 7.0])).mean.tolist()[2:] == [3.0, 5.0]


def test_a_huge_value_leaves_no_rounding_error_behind() -> None:
    mean, deviation = Moments(4)(Candles.of([0.1] * 5 + [1e12] + [0.1] * 20))
    assert deviation[9:].tolist() == [0.0] * 17
    assert mean[9:].tolist() == [0.1] * 17


def test_a_length_below_two_is_refused() -> None:
    with pytest.raises(ValueError, match="length is 1: it counts candles and must be at least 2"):
        Moments(1)
