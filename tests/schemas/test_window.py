from __future__ import annotations

import numpy as np

from schemas.window import Window


def test_a_candle_that_closes_at_the_beginning_lies_before_it_and_one_that_closes_at_the_end_inside() -> None:
    day = Window(86_400_000, 2 * 86_400_000)
    assert [ts in day for ts in (86_400_000, 86_400_001, 172_800_000, 172_800_001)] == [False, True, True, False]
    assert day.of(np.array([86_400_000, 86_400_001, 172_800_000, 172_800_001])).tolist() == [False, True, True, False]


def test_without_bounds_everything_lies_inside_what_is_no_time_too() -> None:
    assert not Window().bounded
    assert Window().of(np.array([-(2**63) + 1, -1, 2**63 - 1])).all()
    assert Window(since=0).bounded
    assert Window(until=0).bounded
