from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.market.checks import Checks, Verdict
from tests.flows.market.oracles import judged_plainly
from tests.flows.market.rows import CUTS, DAY, MINUTE, NAMES, Row, at, batch, parts, steps, streams

WEEK = 7 * DAY
A_LOT = 10**15  # a lateness at which nothing is late

quick = settings(deadline=None, max_examples=150)  # the first example may compile


def judge(rows: Sequence[Row], *, lateness: int = A_LOT, step: int = MINUTE, cuts: Sequence[int] = ()) -> Any:
    """Verdicts, missing, after and days of a stream, as lists."""
    checks = Checks(lateness)
    found: tuple[list[Any], ...] = ([], [], [], [])
    for part in parts(rows, cuts):
        checked = checks(batch(part), batch(part).slot, steps(step=step))
        columns: tuple[Any, ...] = (checked.verdict, checked.missing, checked.after, checked.days)
        for into, values in zip(found, columns, strict=True):
            into.extend(values.tolist())
    return found


def verdicts(rows: Sequence[Row], **more: Any) -> list[str]:
    return [Verdict(code).name for code in judge(rows, **more)[0]]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "ACCEPTED"),
        ({"volume": 0.0}, "ACCEPTED"),
        ({"open": 9.0, "high": 9.0, "low": 9.0, "close": 9.0}, "ACCEPTED"),
        ({"open": 12.0, "close": 9.0}, "ACCEPTED"),
        ({"ts": -1}, "TIME_UNREADABLE"),
        ({"ts": -1, "open": math.nan}, "TIME_UNREADABLE"),
        *(({name: math.nan}, "VALUE_NOT_FINITE") for name in ("open", "high", "low", "close", "volume")),
        *(({name: math.inf}, "VALUE_NOT_FINITE") for name in ("open", "high", "low", "close", "volume")),
        ({"high": math.inf, "low": -math.inf}, "VALUE_NOT_FINITE"),
        *(({name: 0.0}, "PRICE_NOT_POSITIVE") for name in ("open", "high", "low", "close")),
        *(({name: -1.0}, "PRICE_NOT_POSITIVE") for name in ("open", "high", "low", "close")),
        ({"volume": -0.001}, "VOLUME_NEGATIVE"),
        ({"high": 8.999}, "HIGH_BELOW_LOW"),
        ({"low": 12.001}, "HIGH_BELOW_LOW"),
        ({"open": 12.001}, "PRICE_OUTSIDE_RANGE"),
        ({"open": 8.999}, "PRICE_OUTSIDE_RANGE"),
        ({"close": 12.001}, "PRICE_OUTSIDE_RANGE"),
        ({"close": 8.999}, "PRICE_OUTSIDE_RANGE"),
        ({"ts": 60 * MINUTE + 1}, "TIME_MISALIGNED"),
        ({"ts": 60 * MINUTE - 1}, "TIME_MISALIGNED"),
    ],
    ids=str,
)
def test_a_row_by_itself_gets_the_reason_that_fits_it(changes: dict[str, Any], reason: str) -> None:
    assert verdicts([replace(at(60), **changes)]) == [reason]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (at(11), "ACCEPTED"),
        (at(10), "ROW_DUPLICATE"),
        (at(10, open=10.5), "ROW_CONFLICT"),
        (at(10, high=13.0), "ROW_CONFLICT"),
        (at(10, low=8.0), "ROW_CONFLICT"),
        (at(10, close=10.5), "ROW_CONFLICT"),
        (at(10, volume=2.0), "ROW_CONFLICT"),
        (at(10, bid=10.0, ask=11.0), "ROW_DUPLICATE"),  # another quote makes no other candle
        (at(9), "ROW_OUT_OF_ORDER"),
        (at(1), "ROW_OUT_OF_ORDER"),
        (at(9, high=8.0), "HIGH_BELOW_LOW"),
        (Row(10 * MINUTE + 500), "TIME_MISALIGNED"),
        (at(10, slot=1), "ACCEPTED"),
    ],
    ids=str,
)
def test_a_row_behind_another_gets_the_reason_that_fits_both(row: Row, reason: str) -> None:
    assert verdicts([at(10), row]) == ["ACCEPTED", reason]


def test_a_row_is_late_when_it_is_further_behind_the_newest_of_the_shard_than_allowed() -> None:
    rows = [at(10), at(8, slot=1), at(7, slot=2)]
    assert verdicts(rows, lateness=2 * MINUTE) == ["ACCEPTED", "ACCEPTED", "ROW_LATE"]


def test_without_any_lateness_a_row_at_the_newest_instant_is_in_time() -> None:
    rows = [at(10), at(10, slot=1), at(9, slot=2)]
    assert verdicts(rows, lateness=0) == ["ACCEPTED", "ACCEPTED", "ROW_LATE"]


def test_candles_missing_are_counted_before_the_row_that_comes_after_them() -> None:
    rows = [at(10), at(11), at(14), at(3, slot=1), at(13), at(15)]
    verdict, missing, after, _ = judge(rows)
    assert verdict == [0, 0, 0, 0, Verdict.ROW_OUT_OF_ORDER, 0]
    assert missing == [0, 0, 2, 0, 0, 0]
    assert after == [-1, 10 * MINUTE, 11 * MINUTE, -1, 14 * MINUTE, 14 * MINUTE]


def test_candles_missing_are_counted_in_the_timeframe_of_their_symbol() -> None:
    checks = Checks(A_LOT)
    rows = [at(5), at(20), at(15, slot=1), at(45, slot=1)]
    checked = checks(batch(rows), batch(rows).slot, np.array([5 * MINUTE, 15 * MINUTE]))
    assert checked.missing.tolist() == [0, 2, 0, 1]


@pytest.mark.parametrize("step", [DAY, 4 * 60 * MINUTE])
def test_a_timeframe_up_to_a_day_closes_on_the_utc_grid(step: int) -> None:
    assert verdicts([Row(100 * step), Row(100 * step + step // 2), Row(101 * step)], step=step) == [
        "ACCEPTED",
        "TIME_MISALIGNED",
        "ACCEPTED",
    ]


@pytest.mark.parametrize("step", [DAY, 4 * 60 * MINUTE])
def test_the_first_row_of_a_symbol_has_to_close_on_the_utc_grid_too(step: int) -> None:
    assert verdicts([Row(100 * step + step // 2), Row(101 * step)], step=step) == ["TIME_MISALIGNED", "ACCEPTED"]


def test_weeks_start_where_the_first_of_them_starts() -> None:
    monday = 1_641_168_000_000  # 2022-01-03T00:00:00Z; the epoch was a Thursday
    rows = [Row(monday), Row(monday + 3 * DAY), Row(monday + WEEK), Row(monday + 4 * WEEK)]
    verdict, missing, _, _ = judge(rows, step=WEEK)
    assert [Verdict(code).name for code in verdict] == ["ACCEPTED", "TIME_MISALIGNED", "ACCEPTED", "ACCEPTED"]
    assert missing == [0, 0, 0, 2]


def test_each_symbol_has_its_own_week() -> None:
    monday, sunday = 1_641_168_000_000, 1_641_081_600_000
    rows = [Row(monday), Row(sunday, 1), Row(monday + WEEK), Row(sunday + WEEK, 1), Row(sunday + 2 * WEEK)]
    assert verdicts(rows, step=WEEK) == ["ACCEPTED"] * 4 + ["TIME_MISALIGNED"]


def test_a_day_of_a_symbol_is_told_with_its_counts_when_the_next_one_begins() -> None:
    rows = [
        at(1439),
        at(1439),  # refused
        at(1440),  # midnight closes the day that has passed
        at(1440, slot=1),
        at(1443),  # two missing, of the new day
        at(1444, high=8.0),  # refused
        at(1445),  # one missing
        at(2 * 1440 + 1),  # 1435 missing
    ]
    _, _, _, days = judge(rows)
    assert days == [[0, 1 * DAY, 2, 1, 0], [0, 2 * DAY, 2, 1, 3]]


def test_the_first_day_holds_what_was_refused_before_its_first_candle() -> None:
    _, _, _, days = judge([at(5, high=8.0), at(6, volume=-1.0), at(7), at(1441)])
    assert days == [[0, DAY, 1, 2, 0]]


def test_nothing_is_missing_before_the_first_candle_of_a_symbol() -> None:
    verdict, missing, after, days = judge([at(5000), at(5001)])
    assert (verdict, missing, after, days) == ([0, 0], [0, 0], [-1, 5000 * MINUTE], [])


def test_a_day_without_a_candle_is_not_told_and_its_candles_are_missing_from_the_next() -> None:
    _, _, _, days = judge([at(1440), at(3 * 1440), at(3 * 1440 + 1)])
    assert days == [[0, DAY, 1, 0, 0], [0, 3 * DAY, 1, 0, 2 * 1440 - 1]]


def test_a_row_far_in_the_future_is_counted_and_makes_what_follows_late() -> None:
    far = 253_402_300_740_000  # 9999-12-31T23:59:00Z
    rows = [at(10), at(10, slot=1), Row(far), at(11), at(11, slot=1), Row(far + MINUTE, 2)]
    verdict, missing, _, days = judge(rows, lateness=MINUTE)
    assert [Verdict(code).name for code in verdict] == [
        "ACCEPTED",
        "ACCEPTED",
        "ACCEPTED",
        "ROW_OUT_OF_ORDER",
        "ROW_LATE",
        "ACCEPTED",
    ]
    assert missing[2] == far // MINUTE - 11
    assert days == [[0, DAY, 1, 0, 0]]


@quick
@given(streams(), st.sampled_from([0, MINUTE, 3 * MINUTE, A_LOT]))
def test_every_row_is_judged_as_the_plain_rules_say(rows: list[Row], lateness: int) -> None:
    verdict, missing, after, _ = judge(rows, lateness=lateness)
    assert [(Verdict(v).name, m, a) for v, m, a in zip(verdict, missing, after, strict=True)] == judged_plainly(
        rows, lateness
    )


@quick
@given(streams(), CUTS, st.sampled_from([0, 3 * MINUTE, A_LOT]))
def test_where_the_stream_is_cut_changes_nothing(rows: list[Row], cuts: list[int], lateness: int) -> None:
    assert judge(rows, lateness=lateness, cuts=cuts) == judge(rows, lateness=lateness)


@quick
@given(streams(), st.sampled_from([0, 3 * MINUTE, A_LOT]))
def test_a_refused_row_changes_nothing_for_the_others(rows: list[Row], lateness: int) -> None:
    verdict, missing, after, days = judge(rows, lateness=lateness)
    good = [i for i, code in enumerate(verdict) if code == 0]
    alone = judge([rows[i] for i in good], lateness=lateness)
    assert alone[:3] == ([0] * len(good), [missing[i] for i in good], [after[i] for i in good])
    assert [(slot, end, accepted, holes) for slot, end, accepted, _, holes in alone[3]] == [
        (slot, end, accepted, holes) for slot, end, accepted, _, holes in days
    ]


@quick
@given(streams())
def test_other_symbols_change_nothing_when_nothing_is_late(rows: list[Row]) -> None:
    together = list(zip(*judge(rows)[:3], strict=True))
    days = judge(rows)[3]
    for slot in range(len(NAMES)):
        own = [i for i, row in enumerate(rows) if row.slot == slot]
        alone = judge([rows[i] for i in own])
        assert [together[i] for i in own] == list(zip(*alone[:3], strict=True))
        assert [day for day in days if day[0] == slot] == alone[3]


@quick
@given(streams())
def test_each_row_is_counted_on_one_day_of_its_symbol(rows: list[Row]) -> None:
    # A last candle far behind the others closes the days of all symbols.
    end = [Row(1000 * DAY, slot) for slot in range(len(NAMES))]
    verdict, missing, _, days = judge([*rows, *end])
    rows_of = [[i for i, row in enumerate(rows) if row.slot == slot] for slot in range(len(NAMES))]
    for slot, own in enumerate(rows_of):
        told = np.array([day[2:] for day in days if day[0] == slot], np.int64).reshape(-1, 3).sum(axis=0).tolist()
        accepted = [i for i in own if verdict[i] == 0]
        if accepted:
            assert told == [len(accepted), len(own) - len(accepted), sum(missing[i] for i in own)]
        else:
            assert told == [0, 0, 0]


@quick
@given(streams(), st.integers(0, 40))
def test_checks_go_on_from_a_snapshot_as_if_nothing_had_been(rows: list[Row], cut: int) -> None:
    head, tail = rows[:cut], rows[cut:]
    before = Checks(3 * MINUTE)
    before(batch(head), batch(head).slot, steps())
    state = pickle.dumps(before.state_dict())
    wanted = before(batch(tail), batch(tail).slot, steps())
    again = Checks(3 * MINUTE)
    again.load_state_dict(pickle.loads(state))
    got = again(batch(tail), batch(tail).slot, steps())
    for name in ("verdict", "missing", "after", "days"):
        assert getattr(got, name).tolist() == getattr(wanted, name).tolist()


def test_a_snapshot_does_not_change_with_what_comes_after_it() -> None:
    checks = Checks(MINUTE)
    checks(batch([at(10)]), batch([at(10)]).slot, steps())
    state = checks.state_dict()
    checks(batch([at(20)]), batch([at(20)]).slot, steps())
    assert state["newest"].tolist() == [10 * MINUTE]
    assert state["last_ts"].tolist()[0] == 10 * MINUTE


def test_a_symbol_that_is_new_to_the_shard_starts_without_a_past() -> None:
    checks = Checks(A_LOT)
    checks(batch([at(10)]), np.zeros(1, np.int32), steps(1))
    checked = checks(batch([at(5, 1), at(11)]), np.array([1, 0], np.int32), steps(2))
    assert checked.after.tolist() == [-1, 10 * MINUTE]
    assert checked.verdict.tolist() == [0, 0]


def test_the_names_of_the_verdicts_are_codes_of_two_words_or_more() -> None:
    assert all("_" in verdict.name for verdict in Verdict if verdict is not Verdict.ACCEPTED)
