from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sinks.summary.drawdown import drawdown, falls


def test_depth_is_measured_from_the_highest_point_so_far() -> None:
    assert drawdown(np.array([80.0, 100.0, 75.0, 50.0, 200.0, 100.0])).tolist() == [0, 0, 0.25, 0.5, 0, 0.5]


def test_a_fall_lasts_from_its_peak_to_the_recovery() -> None:
    ts = np.array([0, 10, 20, 30, 40, 50])
    found = falls(ts, np.array([100.0, 75.0, 50.0, 100.0, 200.0, 150.0]))
    assert found.depth.tolist() == [0.5, 0.25]
    assert found.length_ms.tolist() == [30, 10], "the second has not recovered: to the last point"


def test_a_curve_that_only_rises_never_falls() -> None:
    found = falls(np.array([0, 10, 20]), np.array([1.0, 1.0, 2.0]))
    assert len(found.depth) == len(found.length_ms) == 0


def test_losing_all_is_a_fall_of_one_hundred_percent_or_more() -> None:
    assert falls(np.array([0, 1]), np.array([100.0, -50.0])).depth.tolist() == [1.5]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_falls_agree_with_a_plain_loop(levels: list[int]) -> None:
    expected: list[tuple[float, int]] = []
    peak_at, deepest = 0, 0.0
    for i, level in enumerate(levels):
        peak = max(levels[: i + 1])
        if level < peak:
            deepest = max(deepest, 1 - level / peak)
            if i == len(levels) - 1:
                expected.append((deepest, i - peak_at))
        else:
            if deepest:
                expected.append((deepest, i - peak_at))
            peak_at, deepest = i, 0.0
    found = falls(np.arange(len(levels)), np.array(levels, float))
    assert list(zip(found.depth.tolist(), found.length_ms.tolist(), strict=True)) == expected
