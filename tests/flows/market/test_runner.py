from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.columns import Candles
from flows.market.runner import Raised, Runner
from flows.strategies.base import Signals
from schemas.ids import event_id
from schemas.signal import Signal
from schemas.wire import encode
from tests.flows.market.oracles import thirds_plainly
from tests.flows.market.rows import CUTS, MINUTE, NAMES, Row, at, candles, good_streams, parts, steps
from tests.flows.market.strategies import WRONG, EveryThird, Says, raises

quick = settings(deadline=None, max_examples=150)


def run(runner: Runner, rows: Sequence[Row], cuts: Sequence[int] = ()) -> tuple[list[Any], list[Raised]]:
    """Signals by instant, and what was raised, of a stream in parts."""
    signals, raised = [], []
    for part in parts(rows, cuts):
        found, wrong = runner.run(candles(part), np.zeros(len(part), np.int64), NAMES, steps())
        signals += [signal for _, signal in found]
        raised += wrong
    return signals, raised


def said(runner: Runner, rows: Sequence[Row], cuts: Sequence[int] = ()) -> tuple[list[Any], list[Any]]:
    signals, raised = run(runner, rows, cuts)
    return sorted((signal.ts, signal.symbol) for signal in signals), sorted((one.ts, one.symbol) for one in raised)


def one(wish: Signals, row: Row | None = None, **more: Any) -> Any:
    """The signal of a single row."""
    runner = Runner(Says(lambda _: wish), "mine", more.pop("mode", "live"))
    missing = np.array([more.pop("missing", 0)], np.int64)
    found, raised = runner.run(candles([row or at(5)]), missing, NAMES, more.pop("step", steps()))
    assert raised == []
    return found[0][1]


YES = np.ones(1, np.bool_)


def test_a_signal_says_all_that_it_was_decided_on() -> None:
    wish = Signals(
        long=YES,
        stop_distance=np.array([2.0]),
        target_distance=np.array([4.0]),
        confidence=np.array([0.25]),
        reason="because",
        values={"fast": np.array([1.5]), "slow": np.array([2.5])},
    )
    signal = one(wish, missing=3)
    assert Signal.model_validate_json(encode(signal)).model_dump() == {
        "id": event_id("mine", "B/USDT", 5 * MINUTE, "signal"),
        "ts": 5 * MINUTE,
        "symbol": "B/USDT",
        "timeframe": "1m",
        "strategy": "mine",
        "version": "1.2.3",
        "mode": "live",
        "side": "long",
        "price": 11.0,
        "stop": 9.0,
        "target": 15.0,
        "confidence": 0.25,
        "missing": 3,
        "reason": "because",
        "values": {"fast": 1.5, "slow": 2.5},
        "bid": None,
        "ask": None,
        "share_pct": None,
    }


def test_a_signal_says_bid_and_ask_where_its_candle_does() -> None:
    signal = one(Signals(long=YES), at(5, bid=10.75, ask=11.25))
    assert (signal.bid, signal.ask) == (10.75, 11.25)
    assert b'"bid":10.75,"ask":11.25' in encode(signal)
    assert b"bid" not in encode(one(Signals(long=YES)))


def test_a_strategy_sees_bid_ask_spread_and_mid_and_nothing_where_they_are_not_known() -> None:
    seen: list[list[float]] = []

    def wish(c: Candles) -> Signals:
        seen.extend([[*row] for row in zip(c.bid, c.ask, c.spread, c.mid, strict=True)])
        narrow = c.spread / c.mid < 0.05  # NaN is not
        return Signals(long=narrow)

    rows = [at(5, bid=10.75, ask=11.25), at(6), at(7, bid=10.0, ask=12.0)]
    for cuts in ((), (1, 2)):
        runner = Runner(Says(wish), "mine", "live")
        assert said(runner, rows, cuts) == ([(5 * MINUTE, "B/USDT")], [])
    unknown = [np.nan] * 4
    np.testing.assert_array_equal(seen, [[10.75, 11.25, 0.5, 11.0], unknown, [10.0, 12.0, 2.0, 11.0]] * 2)


def test_a_short_has_its_stop_above_and_its_target_below() -> None:
    signal = one(Signals(short=YES, stop_distance=np.array([2.0]), target_distance=np.array([4.0])))
    assert (signal.side, signal.stop, signal.target) == ("short", 13.0, 7.0)


def test_a_flat_has_neither_stop_nor_target() -> None:
    signal = one(Signals(flat=YES, stop_distance=np.array([2.0]), target_distance=np.array([4.0])))
    assert (signal.side, signal.stop, signal.target, signal.price) == ("flat", None, None, 11.0)


def test_without_distances_there_is_neither_stop_nor_target_and_confidence_is_full() -> None:
    signal = one(Signals(long=YES))
    assert (signal.stop, signal.target, signal.confidence, signal.values) == (None, None, 1.0, {})


@pytest.mark.parametrize(("share_pct", "found"), [(25.0, 25.0), (100.0, None), (np.nan, None)])
def test_a_share_is_for_leaving_and_all_of_it_is_none(share_pct: float, found: float | None) -> None:
    share = np.array([share_pct])
    assert one(Signals(flat=YES, share_pct=share)).share_pct == found
    assert one(Signals(long=YES, stop_distance=np.array([2.0]), share_pct=share)).share_pct is None


@pytest.mark.parametrize("distance", [np.nan, np.inf, -np.inf, 11.0, 20.0])
def test_a_stop_or_target_that_is_no_price_is_none(distance: float) -> None:
    assert one(Signals(long=YES, stop_distance=np.array([distance]))).stop is None
    assert one(Signals(short=YES, target_distance=np.array([distance]))).target is None


def test_the_mode_of_the_strategy_is_on_its_signals() -> None:
    assert one(Signals(flat=YES), mode="shadow").mode == "shadow"


def test_the_timeframe_is_that_of_the_symbol() -> None:
    step = np.array([MINUTE, 4 * 60 * MINUTE, MINUTE])
    assert one(Signals(flat=YES), at(240, 1), step=step).timeframe == "4h"


def test_a_value_that_is_not_a_number_is_null_on_the_wire() -> None:
    signal = one(Signals(flat=YES, values={"atr": np.array([np.nan])}))
    assert Signal.model_validate_json(encode(signal)).values == {"atr": None}


def test_each_signal_comes_with_the_index_of_its_row_and_the_count_missing_before_it() -> None:
    flat = np.array([False, True, False, True])
    runner = Runner(Says(lambda c: Signals(flat=flat[: len(c)])), "mine", "live")
    found, _ = runner.run(candles([at(1), at(2), at(3), at(6)]), np.array([0, 0, 0, 2]), NAMES, steps())
    assert [(i, signal.ts // MINUTE, signal.missing) for i, signal in found] == [(1, 2, 0), (3, 6, 2)]


def test_a_strategy_sees_only_the_symbols_it_is_configured_for() -> None:
    seen: list[tuple[int, int]] = []

    def wish(c: Candles) -> Signals:
        seen.extend(zip((c.ts // MINUTE).tolist(), c.slot.tolist(), strict=True))
        return Signals(flat=np.ones(len(c), np.bool_))

    runner = Runner(Says(wish), "mine", "live", ("A/USDT", "NOT/HERE"))
    found, _ = runner.run(candles([at(1), at(1, 1), at(2), at(2, 1), at(2, 2)]), np.zeros(5, np.int64), NAMES, steps())
    assert seen == [(1, 1), (2, 1)]
    assert [(i, signal.symbol) for i, signal in found] == [(1, "A/USDT"), (3, "A/USDT")]


def test_the_count_missing_is_that_of_the_row_also_when_others_are_left_out() -> None:
    runner = Runner(Says(lambda c: Signals(flat=np.ones(len(c), np.bool_))), "mine", "live", ("A/USDT",))
    found, _ = runner.run(candles([at(3), at(3, 1), at(4), at(9, 1)]), np.array([7, 0, 0, 5]), NAMES, steps())
    assert [(i, signal.missing) for i, signal in found] == [(1, 0), (3, 5)]


def test_a_star_among_the_symbols_stands_for_all() -> None:
    runner = Runner(EveryThird(), "mine", "live", ("A/USDT", "*"))
    assert said(runner, [at(1), at(2), at(3)])[0] == [(3 * MINUTE, "B/USDT")]


def test_a_strategy_is_not_called_without_a_candle_for_it() -> None:
    def wish(_: Candles) -> Signals:
        raise AssertionError("called")

    runner = Runner(Says(wish), "mine", "live", ("A/USDT",))
    assert run(runner, [at(1), at(2, 2)]) == ([], [])
    assert run(runner, []) == ([], [])


def test_what_a_strategy_raises_is_told_with_its_kind_and_text() -> None:
    def wish(_: Candles) -> Signals:
        raise KeyError("atr")

    assert run(Runner(Says(wish), "mine", "live"), [at(7, 2)])[1] == [Raised("C/USDT", 7 * MINUTE, "KeyError: 'atr'")]


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("cuts", [[], [3], [4], [5], [1, 2, 3, 4, 5, 6, 7, 8]], ids=str)
def test_a_strategy_that_is_wrong_on_one_row_is_quarantined_on_its_symbol_from_there(
    kind: str, cuts: list[int]
) -> None:
    trap, error = WRONG[kind]
    rows = [at(minute, slot) for minute in range(1, 8) for slot in (0, 1)]
    runner = Runner(EveryThird([(0, 5 * MINUTE)], trap), "mine", "live")
    signals, raised = run(runner, rows, cuts)
    assert sorted((s.symbol, s.ts // MINUTE) for s in signals) == [("A/USDT", 3), ("A/USDT", 6), ("B/USDT", 3)]
    assert raised == [Raised("B/USDT", 5 * MINUTE, error)]
    assert runner.quarantined == {"B/USDT"}


@st.composite
def trapped(draw: st.DrawFn) -> tuple[list[Row], set[tuple[int, int]]]:
    rows = draw(good_streams())
    some = draw(st.lists(st.sampled_from(rows), max_size=4)) if rows else []
    return rows, {(row.slot, row.ts) for row in some}


@quick
@given(trapped(), CUTS, st.sampled_from(sorted(WRONG)))
def test_the_signals_are_those_of_the_rows_before_the_wrong_one_whatever_the_cut(
    stream: tuple[list[Row], set[tuple[int, int]]], cuts: list[int], kind: str
) -> None:
    rows, traps = stream
    runner = Runner(EveryThird(sorted(traps), WRONG[kind][0]), "mine", "live")
    assert said(runner, rows, cuts) == thirds_plainly(rows, traps)


@quick
@given(trapped(), st.integers(0, 40))
def test_a_runner_goes_on_from_a_snapshot_as_if_nothing_had_been(
    stream: tuple[list[Row], set[tuple[int, int]]], cut: int
) -> None:
    rows, traps = stream
    before = Runner(EveryThird(sorted(traps), raises), "mine", "live")
    head = said(before, rows[:cut])
    state = pickle.dumps(before.state())
    again = Runner(EveryThird(sorted(traps), raises), "mine", "live")
    again.restore(pickle.loads(state))
    tail = said(again, rows[cut:])
    assert (sorted(head[0] + tail[0]), sorted(head[1] + tail[1])) == thirds_plainly(rows, traps)


def test_a_snapshot_does_not_change_with_what_comes_after_it() -> None:
    runner = Runner(EveryThird([(0, 4 * MINUTE)], raises), "mine", "live")
    run(runner, [at(1), at(2)])
    state = runner.state()
    run(runner, [at(3), at(4)])
    assert (state["strategy"]["seen"].tolist()[0], state["quarantined"]) == (2, [])
    assert runner.state()["quarantined"] == ["B/USDT"]


def test_a_row_that_raised_leaves_no_trace_in_the_state() -> None:
    runner = Runner(EveryThird([(0, 2 * MINUTE)], raises), "mine", "live")
    run(runner, [at(1), at(1, 1), at(2), at(2, 1)])
    assert runner.state()["strategy"]["seen"].tolist() == [1, 2, 0]


def test_an_interrupt_from_outside_is_not_taken_for_a_mistake_of_the_strategy() -> None:
    def wish(_: Candles) -> Signals:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Runner(Says(wish), "mine", "live"), [at(1)])
