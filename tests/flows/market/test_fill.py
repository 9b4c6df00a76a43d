from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.market.fill import Fill
from tests.flows.market.oracles import Out, filled_plainly, holes
from tests.flows.market.rows import CUTS, MINUTE, NAMES, Row, at, candles, good_streams, parts, steps

quick = settings(deadline=None, max_examples=150)  # the first example may compile


def said(fill: Fill, rows: Sequence[Row], missing: Sequence[int]) -> list[Out]:
    c, left, came = fill(candles(rows), np.array(missing, np.int64), steps())
    flat = c.volume == 0
    # A flat candle came with the next real one: the number of real ones before it.
    assert came.tolist() == (np.cumsum(~flat) - ~flat).tolist()
    for name in ("open", "high", "low"):
        assert np.array_equal(getattr(c, name)[flat], c.close[flat])
    assert len(c) == len(left) == len(c.slot)
    assert [str(column.dtype) for column in (c.slot, c.ts, left)] == ["int32", "int64", "int64"]
    assert c.slots == len(NAMES)
    return list(
        zip((c.ts // MINUTE).tolist(), c.slot.tolist(), c.close.tolist(), c.volume.tolist(), left.tolist(), strict=True)
    )


def filled(rows: Sequence[Row], *, lateness: int = 1, limit: int = 5, cuts: Sequence[int] = ()) -> list[Out]:
    """The filled stream; lateness in minutes."""
    fill, missing = Fill(lateness * MINUTE, limit), holes(rows)
    found, done = [], 0
    for part in parts(rows, cuts):
        found += said(fill, part, missing[done : done + len(part)])
        done += len(part)
    return found


def test_a_stream_without_holes_stays_as_it_is() -> None:
    assert filled([at(1), at(2), at(3)]) == [(1, 0, 11.0, 1.0, 0), (2, 0, 11.0, 1.0, 0), (3, 0, 11.0, 1.0, 0)]


def test_a_hole_is_filled_with_flat_candles_at_the_last_close_when_its_symbol_comes_back() -> None:
    assert filled([at(1, close=9.5), at(4, close=12.0)]) == [
        (1, 0, 9.5, 1.0, 0),
        (2, 0, 9.5, 0.0, 0),
        (3, 0, 9.5, 0.0, 0),
        (4, 0, 12.0, 1.0, 0),
    ]


def test_a_real_candle_keeps_its_prices_when_others_are_filled() -> None:
    c, *_ = Fill(MINUTE, 5)(
        candles([at(1), at(3, high=13.0, low=8.0, open=9.0, volume=7.0)]), np.array([0, 1]), steps()
    )
    assert (c.open.tolist(), c.high.tolist()) == ([10.0, 11.0, 9.0], [12.0, 11.0, 13.0])
    assert (c.low.tolist(), c.volume.tolist()) == ([9.0, 11.0, 8.0], [1.0, 0.0, 7.0])


def test_nothing_comes_before_the_first_candle_of_a_symbol() -> None:
    assert filled([at(1), at(2), at(3), at(3, 1)])[-1] == (3, 1, 11.0, 1.0, 0)
    assert len(filled([at(1), at(2), at(3), at(3, 1)])) == 4


def test_a_flat_candle_has_no_quote() -> None:
    rows = [at(1, bid=10.0, ask=11.0), at(3, bid=12.0, ask=13.0)]
    filled, _, _ = Fill(MINUTE, 5)(candles(rows), np.array([0, 1]), steps())
    assert np.isnan(filled.bid).tolist() == [False, True, False]
    assert (filled.bid[[0, 2]].tolist(), filled.ask[[0, 2]].tolist()) == ([10.0, 12.0], [11.0, 13.0])


def test_a_flat_candle_comes_when_the_shard_is_further_past_it_than_the_lateness() -> None:
    rows = [at(1, 1), at(1), at(2), at(3), at(4)]
    assert [out[:2] for out in filled(rows, lateness=1)] == [(1, 1), (1, 0), (2, 0), (3, 0), (2, 1), (4, 0)]
    assert [out[:2] for out in filled(rows, lateness=0)] == [(1, 1), (1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0)]


def test_a_hole_longer_than_the_limit_is_filled_up_to_it_and_the_rest_is_still_missing() -> None:
    assert filled([at(1), at(10)], limit=3) == [
        (1, 0, 11.0, 1.0, 0),
        (2, 0, 11.0, 0.0, 0),
        (3, 0, 11.0, 0.0, 0),
        (4, 0, 11.0, 0.0, 0),
        (10, 0, 11.0, 1.0, 5),
    ]


def test_a_symbol_that_sleeps_wakes_with_its_next_candle() -> None:
    rows = [at(1, 1), *(at(minute) for minute in range(1, 9)), at(8, 1), at(9), at(10), at(11)]
    assert [minute for minute, slot, *_ in filled(rows, limit=2) if slot == 1] == [1, 2, 3, 8, 9]
    assert [left for _, slot, _, _, left in filled(rows, limit=2) if slot == 1] == [0, 0, 0, 4, 0]


def test_what_is_still_missing_does_not_depend_on_when_its_flat_candles_came() -> None:
    rows = [at(1, 1), at(1), at(2), at(3), at(4), at(5), at(5, 1)]
    for cut in range(len(rows) + 1):
        assert [out[:2] + out[4:] for out in filled(rows, lateness=0, cuts=[cut])][-1] == (5, 1, 0)
        assert filled(rows, lateness=0, limit=2, cuts=[cut])[-1] == (5, 1, 11.0, 1.0, 1)


def test_a_row_far_in_the_future_makes_no_more_flat_candles_than_the_limit_of_each_symbol() -> None:
    rows = [at(1), at(1, 1), at(1, 2), Row(253_402_300_740_000)]
    assert len(filled(rows, limit=1440)) == 4 + 3 * 1440


@quick
@given(good_streams(ahead=1), st.integers(0, 1), st.integers(1, 4))
def test_the_filled_stream_is_what_the_plain_rule_gives(rows: list[Row], more: int, limit: int) -> None:
    assert filled(rows, lateness=1 + more, limit=limit) == filled_plainly(rows, 1 + more, limit)


@quick
@given(good_streams(), CUTS, st.integers(1, 4))
def test_where_the_stream_is_cut_changes_nothing(rows: list[Row], cuts: list[int], limit: int) -> None:
    assert filled(rows, limit=limit, cuts=cuts) == filled(rows, limit=limit)


@quick
@given(good_streams(), st.integers(1, 4))
def test_the_real_candles_are_all_there_and_each_symbol_goes_step_by_step(rows: list[Row], limit: int) -> None:
    out = filled(rows, limit=limit)
    for slot in range(len(NAMES)):
        minutes = [(minute, left) for minute, at_slot, _, _, left in out if at_slot == slot]
        assert {row.ts // MINUTE for row in rows if row.slot == slot} <= {minute for minute, _ in minutes}
        for (one, _), (other, left) in pairwise(minutes):
            assert other == one + 1 + left


@quick
@given(good_streams(), st.integers(0, 40))
def test_fill_goes_on_from_a_snapshot_as_if_nothing_had_been(rows: list[Row], cut: int) -> None:
    cut, missing = min(cut, len(rows)), holes(rows)
    before = Fill(MINUTE, 3)
    said(before, rows[:cut], missing[:cut])
    state = pickle.dumps(before.state_dict())
    again = Fill(MINUTE, 3)
    again.load_state_dict(pickle.loads(state))
    assert said(again, rows[cut:], missing[cut:]) == said(before, rows[cut:], missing[cut:])


def test_each_symbol_is_filled_in_its_own_timeframe() -> None:
    step: Any = np.array([MINUTE, 5 * MINUTE, MINUTE], np.int64)
    rows = [at(5, 1), at(20, 1), at(20), at(22)]
    c, left, came = Fill(30 * MINUTE, 5)(candles(rows), np.array([0, 2, 0, 1]), step)
    assert (c.ts // MINUTE).tolist() == [5, 10, 15, 20, 20, 21, 22]
    assert c.slot.tolist() == [1, 1, 1, 1, 0, 0, 0]
    assert came.tolist() == [0, 1, 1, 1, 2, 3, 3]
    assert left.tolist() == [0] * 7
