from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flows.columns import Candles
from flows.indicators.cross import Cross

LINE = st.lists(st.sampled_from([1.0, 2.0, 3.0, np.nan]), min_size=1, max_size=40)


def cross(a: list[float], b: list[float]) -> list[int]:
    result: list[int] = Cross()(Candles.of([1.0] * len(a)), np.array(a), np.array(b)).tolist()
    return result


def test_says_where_one_line_comes_to_lie_above_or_below_the_other() -> None:
    assert cross([1.0, 3.0, 3.0, 1.0], [2.0] * 4) == [0, 1, 0, -1]


def test_touching_is_not_crossing() -> None:
    assert cross([1.0, 2.0, 1.0], [2.0] * 3) == [0, 0, 0]
    assert cross([1.0, 2.0, 3.0], [2.0] * 3) == [0, 0, 1]


def test_a_line_without_a_value_keeps_the_side() -> None:
    assert cross([np.nan, 1.0, np.nan, 3.0], [2.0] * 4) == [0, 0, 0, 1]


@given(a=LINE)
def test_crossings_alternate_and_match_the_sides(a: list[float]) -> None:
    sides = [(i, 1 if value > 2.0 else -1) for i, value in enumerate(a) if value in (1.0, 3.0)]
    expected = [0] * len(a)
    for (_, before), (i, now) in pairwise(sides):
        expected[i] = now if now != before else 0
    assert cross(a, [2.0] * len(a)) == expected
