from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sinks.report.bars import shrink
from tests.sinks.run_folders import HOUR, MINUTE, OHLC, START


def candles(ts: list[int], price: list[float]) -> OHLC:
    level = np.array(price)
    return OHLC(np.array(ts, np.int64), level, level + 1, level - 1, level + 0.5)


def test_few_candles_stay_as_they_are() -> None:
    bars = shrink(candles([START + MINUTE, START + 2 * MINUTE], [5.0, 7.0]), 2)
    assert bars.step == MINUTE
    assert (bars.index * MINUTE).tolist() == [START, START + MINUTE], "index is of the opening time"
    assert (bars.open.tolist(), bars.close.tolist()) == ([5.0, 7.0], [5.5, 7.5])


def test_a_close_on_the_edge_ends_the_bar_before_it() -> None:
    ts = [START + n * MINUTE for n in range(1, 121)]
    bars = shrink(candles(ts, [float(n) for n in range(120)]), 2)
    assert bars.step == HOUR
    assert (bars.index * HOUR).tolist() == [START, START + HOUR]
    assert (bars.open.tolist(), bars.close.tolist()) == ([0.0, 60.0], [59.5, 119.5])
    assert (bars.high.tolist(), bars.low.tolist()) == ([60.0, 120.0], [-1.0, 59.0])


def test_a_hole_leaves_no_bar() -> None:
    bars = shrink(candles([START + MINUTE, START + 2 * MINUTE, START + 9 * MINUTE], [1.0, 2.0, 3.0]), 10)
    assert np.diff(bars.index).tolist() == [1, 7]


def test_no_candles_are_no_bars() -> None:
    assert len(shrink(candles([], []), 10).index) == 0


@given(st.lists(st.integers(1, 3_000_000), min_size=1, max_size=200, unique=True), st.integers(1, 50))
def test_never_more_than_asked_for_and_no_extreme_is_lost(minutes: list[int], most: int) -> None:
    ts = [minute * MINUTE for minute in sorted(minutes)]
    source = candles(ts, [float((minute * 7919) % 1009) for minute in minutes])
    bars = shrink(source, most)
    assert 1 <= len(bars.index) <= most
    assert bars.high.max() == source.high.max()
    assert bars.low.min() == source.low.min()
    assert (bars.open[0], bars.close[-1]) == (source.open[0], source.close[-1])
    assert (np.diff(bars.index) > 0).all()
