from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from flows.columns import Candles
from flows.indicators.swings import Swing, Swings


def oracle(x: list[float], n: int) -> list[float]:
    """Look at every candle with its n neighbours on both sides; write it down n rows later. For highs."""
    out = [np.nan] * len(x)
    for i in range(n, len(x) - n):
        if x[i] > max(x[i - n : i]) and x[i] >= max(x[i + 1 : i + n + 1]):
            out[i + n] = x[i]
    return out


def held(x: list[float]) -> list[float]:
    last, out = np.nan, []
    for value in x:
        last = last if np.isnan(value) else value
        out.append(last)
    return out


@pytest.mark.parametrize("strength", [1, 2, 5, 50])
def test_agrees_with_a_look_at_both_sides(real: Candles, in_batches: Callable[..., Swing], strength: int) -> None:
    rows = real[:10_000]
    found = in_batches(Swings(strength), rows)
    high = oracle(rows.high.tolist(), strength)
    low = [-value for value in oracle((-rows.low).tolist(), strength)]
    assert np.count_nonzero(~np.isnan(high)) > 30
    np.testing.assert_array_equal(found.high, high)
    np.testing.assert_array_equal(found.low, low)
    np.testing.assert_array_equal(found.last_high, held(high))
    np.testing.assert_array_equal(found.last_low, held(low))


def test_a_swing_is_given_on_the_row_that_confirms_it_and_on_no_other() -> None:
    swings = Swings(2)(Candles.of([1.0, 2.0, 9.0, 3.0, 4.0, 5.0]))
    np.testing.assert_array_equal(swings.high, [np.nan, np.nan, np.nan, np.nan, 9.0, np.nan])
    np.testing.assert_array_equal(swings.last_high, [np.nan, np.nan, np.nan, np.nan, 9.0, 9.0])


def test_of_equal_tops_the_first_counts() -> None:
    swings = Swings(1)(Candles.of([1.0, 5.0, 5.0, 1.0, 1.0]))
    np.testing.assert_array_equal(swings.high, [np.nan, np.nan, 5.0, np.nan, np.nan])


def test_a_higher_high_before_the_confirmation_takes_its_place() -> None:
    swings = Swings(2)(Candles.of([1.0, 1.0, 5.0, 6.0, 2.0, 2.0]))
    np.testing.assert_array_equal(swings.high, [np.nan, np.nan, np.nan, np.nan, np.nan, 6.0])


def test_no_value_comes_before_the_warmup(real: Candles) -> None:
    for strength in (1, 3, 10):
        swings = Swings(strength)
        assert swings.warmup == 2 * strength
        assert all(np.isnan(column[: swings.warmup]).all() for column in swings(real[:200]))


def test_a_strength_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="strength is 0"):
        Swings(0)
