from __future__ import annotations

import pytest

from flows.indicators.lengths import at_least, fast_below_slow


def test_the_argument_that_is_too_short_is_named() -> None:
    with pytest.raises(ValueError, match=r"^slow is 0: it counts candles and must be at least 1$"):
        at_least(1, fast=1, slow=0)


def test_the_smallest_length_passes() -> None:
    at_least(2, length=2)


def test_two_averages_of_one_length_never_cross_and_are_refused() -> None:
    with pytest.raises(ValueError, match="fast is 20 and slow is 20: the fast average must be the shorter one"):
        fast_below_slow(20, 20)
    fast_below_slow(19, 20)
