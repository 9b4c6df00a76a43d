"""Trades to candles: the state machine of a shard, beside plain Python and beside itself, cut in other ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.batch import NO_SIDE
from tests.flows.bars.tapes import MINUTE, Row, clock, counts, figures, plainly, quote, through

SECOND = 1_000
LATENESS = 2 * SECOND
MINUTES: dict[str, Any] = {"bars": {"timeframes": ["1m"]}}
KINDS: list[dict[str, Any]] = [
    {"bars": {"timeframes": ["1m", "1s", "15s", "1h"]}},
    {"bars": {"timeframes": ["1m", "5m"]}, "empty_candle": "flat"},
    {"bars": {"ticks": 3}},
    {"bars": {"volume": 2.5}},
    {"bars": {"quote_volume": 30.0}},
]


@st.composite
def tapes(draw: st.DrawFn) -> list[Row]:
    """Trades of two symbols and clocks: some out of order, some late, some twice, some impossible."""
    now, rows = 10 * MINUTE, []
    for number in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from([0, 1, 700, 3 * SECOND, 20 * SECOND, 3 * MINUTE]))
        behind = draw(st.sampled_from([0, 0, 1, 1_500, 30 * SECOND]))
        price = draw(st.sampled_from([10.0, 10.1, 9.9, 0.0]) if number % 7 == 0 else st.sampled_from([10.0, 10.1, 9.9]))
        amount = draw(st.sampled_from([0.1, 0.2, 1.7]))
        row = Row(now - behind, number, draw(st.sampled_from([0, 1])), price, amount, draw(st.booleans()))
        bid, ask = draw(st.sampled_from([(9.9, 10.0), (10.0, 10.0), (10.1, 9.9)]))
        quoted = quote(now - behind, bid, ask, row.slot)
        rows.append(draw(st.sampled_from([row, row, row, clock(now), quoted])))
        if rows and draw(st.integers(0, 9)) == 0:
            rows.append(draw(st.sampled_from(rows)))
    return rows


@pytest.mark.parametrize("market", KINDS, ids=["times", "flat", "ticks", "volume", "value"])
@given(tape=tapes(), cuts=st.lists(st.integers(0, 50), max_size=6), restart=st.booleans())
def test_neither_cuts_nor_restarts_change_a_candle_a_position_or_a_verdict(
    tape: list[Row], cuts: list[int], restart: bool, market: dict[str, Any]
) -> None:
    assert through(tape, cuts, restart=restart, **market) == through(tape, **market)


@given(tape=tapes())
def test_every_timeframe_is_what_plain_python_makes_of_the_trades_that_count(tape: list[Row]) -> None:
    seen = through(tape, bars={"timeframes": ["1m", "15s", "1h"]})
    good = [row for row, verdict in zip(tape, seen.verdicts, strict=True) if verdict == 0]
    for kind, step in enumerate((MINUTE, 15 * SECOND, 60 * MINUTE)):
        for slot in (0, 1):
            ours = [candle for candle in seen.kind(kind) if candle[0] == slot]
            assert figures(ours) == plainly(good, step, slot)


@given(st.permutations(range(8)))
def test_trades_out_of_order_inside_the_lateness_give_the_candle_of_those_in_order(order: list[int]) -> None:
    trades = [Row(MINUTE + 100 * (number // 2), number, 0, 10.0 + number) for number in range(8)]
    end = [Row(MINUTE + 10 * SECOND, 99)]
    assert through([trades[one] for one in order] + end, **MINUTES) == through(trades + end, **MINUTES)


def test_a_candle_closes_when_the_newest_trade_is_the_lateness_past_its_end() -> None:
    rows = [Row(MINUTE - 1, 1), Row(MINUTE + LATENESS - 1, 2), Row(MINUTE + LATENESS, 3)]
    closed = [through([*rows[:count], Row(0, -1, 0, -1.0)], **MINUTES).candles for count in (2, 3)]
    # The last batch closes all; what was closed before has the position of the row that closed it.
    assert [[candle[2:5] for candle in candles] for candles in closed] == [
        [(MINUTE, 3, 1), (2 * MINUTE, 3, 1)],
        [(MINUTE, 3, 1), (2 * MINUTE, 4, 2)],
    ]


def test_a_clock_closes_the_candle_of_a_symbol_that_is_not_traded() -> None:
    rows = [Row(MINUTE - 1, 1), clock(MINUTE + LATENESS - 1), clock(MINUTE + LATENESS), clock(MINUTE * 2)]
    assert [candle[2:5] for candle in through(rows, **MINUTES).candles] == [(MINUTE, 3, 1)]
    assert counts(through(rows, **MINUTES)) == {"ACCEPTED": 1, "CLOCK": 3}


def test_a_late_trade_is_in_no_candle_and_one_at_the_edge_is() -> None:
    rows = [Row(MINUTE + LATENESS, 2), Row(MINUTE - 1, 1), Row(MINUTE, 3)]
    seen = through(rows, **MINUTES)
    assert counts(seen) == {"ACCEPTED": 2, "TRADE_LATE": 1}
    assert [candle[2:5] for candle in seen.candles] == [(2 * MINUTE, 3, 2)]


def test_a_trade_that_came_again_counts_once_but_the_same_id_of_another_symbol_does() -> None:
    one = Row(MINUTE, 7)
    rows = [one, one, replace(one, slot=1), replace(one, ts=MINUTE + 1), Row(MINUTE + 2, 8)]
    assert counts(through(rows, **MINUTES)) == {"ACCEPTED": 3, "TRADE_DUPLICATE": 2}


def test_a_late_trade_that_comes_again_is_late_once() -> None:
    late = Row(MINUTE - 1, 1)
    rows = [Row(MINUTE + LATENESS, 2), late, late]
    assert counts(through(rows, **MINUTES)) == {"ACCEPTED": 1, "TRADE_LATE": 1, "TRADE_DUPLICATE": 1}


@pytest.mark.parametrize(("between", "known"), [(2, True), (20, False)])
def test_as_many_ids_are_known_again_as_the_settings_say(between: int, known: bool) -> None:
    rows = [Row(MINUTE, number) for number in range(between + 1)] + [Row(MINUTE, 0)]
    seen = through(rows, bars={"timeframes": ["1m"], "remember": 3})
    assert counts(seen).get("TRADE_DUPLICATE", 0) == known


def test_ids_without_a_number_are_known_again_and_keep_the_order_in_which_they_came() -> None:
    rows = [Row(MINUTE, -5, 0, 10.0), Row(MINUTE, -9, 0, 11.0), Row(MINUTE, -7, 0, 12.0), Row(MINUTE, -9, 0, 11.0)]
    seen = through(rows, **MINUTES)
    assert counts(seen) == {"ACCEPTED": 3, "TRADE_DUPLICATE": 1}
    assert figures(seen.candles)[0][2:6] == (10.0, 12.0, 10.0, 12.0)


def test_what_cannot_be_a_trade_has_its_verdict_and_moves_no_time() -> None:
    nan = float("nan")
    rows = [
        Row(-1, 1),
        Row(9 * MINUTE, 2, price=nan),
        Row(9 * MINUTE, 3, amount=float("inf")),
        Row(9 * MINUTE, 7, amount=NO_SIDE),
        Row(9 * MINUTE, 4, price=0.0),
        Row(9 * MINUTE, 5, amount=0.0),
        Row(MINUTE, 6),
    ]
    seen = through(rows, **MINUTES)
    assert counts(seen) == {
        "ACCEPTED": 1,
        "TIME_UNREADABLE": 1,
        "VALUE_NOT_FINITE": 2,
        "SIDE_UNREADABLE": 1,
        "PRICE_NOT_POSITIVE": 1,
        "AMOUNT_NOT_POSITIVE": 1,
    }


def test_empty_minutes_are_flat_up_to_the_limit_and_end_with_the_next_trade() -> None:
    rows = [Row(0, 1, 0, 10.0), Row(5 * MINUTE, 2, 0, 11.0)]
    seen = through(rows, bars={"timeframes": ["1m"]}, empty_candle="flat", max_flat=3)
    assert [(ts, count, close) for ts, count, _, _, _, close, *_ in figures(seen.candles)] == [
        (MINUTE, 1, 10.0),
        *((minute * MINUTE, 0, 10.0) for minute in (2, 3, 4)),
        (6 * MINUTE, 1, 11.0),
    ]


def test_a_candle_by_trades_closes_behind_the_trade_that_fills_it_and_no_two_at_the_same_instant() -> None:
    rows = [Row(MINUTE, number, 0, 10.0 + number) for number in range(5)]
    seen = through(rows, bars={"ticks": 2})
    assert [(ts, count, close) for ts, count, _, _, _, close, *_ in figures(seen.candles)] == [
        (MINUTE + 1, 2, 11.0),
        (MINUTE + 2, 2, 13.0),
    ]


@pytest.mark.parametrize(("bars", "sizes"), [({"volume": 1.0}, [10, 10]), ({"quote_volume": 5.0}, [5, 5, 5, 5, 5])])
def test_a_candle_by_measure_holds_the_trade_that_fills_it(bars: dict[str, float], sizes: list[int]) -> None:
    # Ten times a tenth are one: what a float sum would lose to rounding is not lost.
    rows = [Row(MINUTE + number, number, 0, 10.0, 0.1) for number in range(25)]
    assert [candle[1] for candle in figures(through(rows, bars=bars).candles)] == sizes
