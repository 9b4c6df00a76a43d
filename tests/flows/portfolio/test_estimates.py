from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.columns import Candles, Floats
from flows.indicators.atr import ATR
from flows.portfolio.estimates import Estimates, watch_of
from flows.portfolio.scan import DAY, DONE, NEVER, new_lanes, new_tally, scan
from flows.portfolio.trails import Trails
from schemas.config.root import Config

NONE = Trails().rows
Row = tuple[int, int, float, float, float]
"""Instant, symbol's slot, high, low, close."""


class Walk:
    """Candles walked with everything estimated: lanes and ring as they are left."""

    def __init__(self, symbols: int, watch: tuple[int, int, int], window: int = 4) -> None:
        self.lanes, self.tally = new_lanes(symbols), new_tally(1_000.0)
        self.watch, self.ring = np.array(watch, np.int64), np.full((window, symbols), np.nan)

    def over(self, rows: list[Row]) -> None:
        ts, slot = np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.int32)
        high, low, close = (np.array([row[i] for row in rows]) for i in (2, 3, 4))
        out: Floats = np.empty((len(rows) + 2, 9))
        row, why = 0, DAY
        while why != DONE:
            row, why = scan(
                row, slot, ts, high, low, close, NEVER, self.lanes, self.tally, 1_000, out, self.watch, self.ring, NONE
            )
            if why == DAY:
                self.tally["day_end"] = 2**40

    def field(self, name: str, slot: int = 0) -> Any:
        return self.lanes[name][slot]


def closes(*prices: float) -> list[Row]:
    return [(10 * n, 0, price, price, price) for n, price in enumerate(prices, 1)]


def test_nothing_is_estimated_that_nobody_uses() -> None:
    assert watch_of(Config()).tolist() == [0, 0, 0]
    walk = Walk(1, (0, 0, 0))
    walk.over(closes(100.0, 110.0, 99.0))
    assert np.isnan([walk.field(name) for name in ("atr", "vol", "shock")]).all()
    assert (walk.field("steps"), walk.field("sampled")) == (0, 0.0)
    assert np.isnan(walk.ring).all()


def test_the_true_range_is_averaged_as_wilder_did() -> None:
    walk = Walk(1, (2, 0, 0))
    walk.over([(10, 0, 101.0, 99.0, 100.0), (20, 0, 104.0, 102.0, 103.0)])  # 4, with the gap
    assert math.isnan(walk.field("atr"))
    walk.over([(30, 0, 105.0, 103.0, 104.0)])  # 2: the mean of both is 3
    assert walk.field("atr") == 3.0
    walk.over([(40, 0, 106.0, 99.0, 100.0)])  # 7: (3 + 7) / 2
    assert walk.field("atr") == 5.0


def test_the_volatility_starts_from_a_mean_of_squares_and_forgets() -> None:
    walk = Walk(1, (0, 3, 0))
    up, down = 100.0 * math.e**0.01, 100.0 * math.e**-0.02
    walk.over(closes(100.0, up, 100.0))
    assert math.isnan(walk.field("vol"))
    walk.over(closes(down))  # returns of 1 %, -1 % and -2 %
    assert walk.field("vol") == pytest.approx(math.sqrt(6e-4 / 3), rel=1e-12)
    assert math.isnan(walk.field("shock"))
    walk.over(closes(100.0))  # 2 %, with a factor of 2 / (3 + 1)
    assert walk.field("vol") == pytest.approx(math.sqrt((2e-4 + 4e-4) / 2), rel=1e-12)
    assert walk.field("shock") == pytest.approx(math.sqrt(2), rel=1e-12)  # 2 % over √2 %


def test_returns_are_sampled_when_their_time_is_over_and_the_oldest_go() -> None:
    walk = Walk(2, (0, 0, 100), window=2)
    walk.over([(50, 0, 0, 0, 80.0), (100, 0, 0, 0, 100.0)])
    assert (walk.tally["samples"][0], walk.field("sampled")) == (1, 100.0)  # the instant at the very end belongs to it
    walk.over([(110, 0, 0, 0, 120.0), (110, 1, 0, 0, 10.0)])
    assert (walk.tally["samples"][0], walk.field("sampled")) == (1, 100.0)
    walk.over([(201, 0, 0, 0, 130.0)])
    np.testing.assert_array_equal(walk.ring, [[np.nan, np.nan], [120.0 / 100.0 - 1, np.nan]])
    walk.over([(555, 1, 0, 0, 11.0)])  # a hole is one return
    np.testing.assert_array_equal(walk.ring, [[130.0 / 120.0 - 1, 0.0], [120.0 / 100.0 - 1, np.nan]])
    walk.over([(601, 1, 0, 0, 12.0)])
    np.testing.assert_array_equal(walk.ring, [[130.0 / 120.0 - 1, 0.0], [0.0, 11.0 / 10.0 - 1]])


def test_symbols_that_come_later_have_no_returns_before() -> None:
    estimates = Estimates(Config())
    estimates.reserve(3)
    estimates.ring[:, 0] = 0.5
    estimates.reserve(4)
    np.testing.assert_array_equal(estimates.ring, [[0.5, np.nan, np.nan, np.nan]])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), *[st.integers(50, 150)] * 3), min_size=1, max_size=30),
    st.integers(1, 5),
    st.data(),
)
def test_it_agrees_with_the_indicator_and_with_the_definition_however_the_rows_are_cut(
    drawn: list[tuple[int, int, int, int]], length: int, data: st.DataObject
) -> None:
    rows = [(n, slot, float(max(p)), float(min(p)), float(p[0])) for n, (slot, *p) in enumerate(drawn, 1)]
    cut = data.draw(st.integers(0, len(rows)))
    walk = Walk(2, (length, length, 3))
    for part in (rows[:cut], rows[cut:]):
        if part:
            walk.over(part)
    for slot in (0, 1):
        own = [row for row in rows if row[1] == slot]
        if not own:
            continue
        high, low, close = (np.array([row[i] for row in own]) for i in (2, 3, 4))
        zero = np.zeros(len(own), np.int64)
        candles = Candles(zero.astype(np.int32), 1, zero, close, high, low, close, close)
        np.testing.assert_array_equal(walk.field("atr", slot), ATR(length)(candles)[-1])
        squares = np.diff(np.log(close)) ** 2
        if len(squares) < length:
            assert math.isnan(walk.field("vol", slot))
            continue
        value = squares[:length].mean()
        for square in squares[length:]:
            value += 2 / (length + 1) * (square - value)
        assert walk.field("vol", slot) == pytest.approx(math.sqrt(value), rel=1e-9, abs=1e-12)
