from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import decode

from flows.columns import Candles
from flows.market.runner import Runner
from flows.market.stage import MarketStage, Said
from flows.strategies.base import Signals
from schemas.batch import Refused
from schemas.config.market import MarketConfig
from schemas.slices import END
from schemas.topics import TOPICS
from schemas.wire import encode
from tests.flows.market.rows import CUTS, DAY, MINUTE, NAMES, Row, at, streams
from tests.flows.market.stages import SHARDS, everything, rows_of, stage, steps
from tests.flows.market.strategies import Says

quick = settings(deadline=None, max_examples=100)
WAYS: tuple[dict[str, Any], ...] = (
    {"allowed_lateness": "1m"},
    {"allowed_lateness": "3m", "empty_candle": "flat", "max_flat": 3},
    {"allowed_lateness": "1w", "empty_candle": "stale"},
)


def marks(said: Said) -> list[tuple[int, str]]:
    """Minute and symbol of what is in the slices of one step."""
    assert said.slices is not None
    names = said.slices.symbols
    return [
        (ts // MINUTE, names[slot]) for ts, slot in zip(said.slices.ts.tolist(), said.slices.slot.tolist(), strict=True)
    ]


def test_rows_are_said_as_they_come_with_their_positions() -> None:
    machine = stage(allowed_lateness="1h")
    said = steps(machine, [at(1), at(2), at(1, 1), at(3, 1)], first=7)
    assert marks(said) == [(1, "B/USDT"), (2, "B/USDT"), (1, "A/USDT"), (3, "A/USDT")]
    s = said.slices
    assert s is not None
    assert (s.shard, s.shards, s.cause, s.waited_ms) == ("shard-0000", ("shard-0000", "shard-0001"), "candles", 0)
    assert (s.symbols, s.timeframes.tolist()) == (NAMES, [MINUTE] * 3)
    assert (s.position.tolist(), s.upto) == ([7, 8, 9, 10], 11)
    assert [str(column.dtype) for column in (s.slot, s.ts, s.close, s.position)] == [
        "int32",
        "int64",
        "float64",
        "int64",
    ]
    later = steps(machine, [at(2, 2)], first=11).slices
    assert later is not None
    assert (later.position.tolist(), later.upto) == ([11], 12)


def test_the_watermark_is_what_would_be_refused_as_late() -> None:
    machine = stage(allowed_lateness="2m")
    said = [steps(machine, [at(minute)], first=minute).slices for minute in (1, 3, 5)]
    assert [one and one.watermark for one in said] == [-1, MINUTE - 1, 3 * MINUTE - 1]
    late = steps(machine, [at(2, 1), at(3, 1)], first=6)
    assert [record.reason for record in late.outbox["deadletters"]] == ["ROW_LATE"]
    assert marks(late) == [(3, "A/USDT")]
    assert late.slices is not None
    assert (late.slices.watermark, late.slices.upto, late.slices.position.tolist()) == (3 * MINUTE - 1, 8, [7])


def test_the_last_batch_says_that_the_shard_is_done() -> None:
    machine = stage(allowed_lateness="1h")
    steps(machine, [at(1), at(2)])
    said = steps(machine, [], final=True).slices
    assert said is not None
    assert (len(said), said.watermark, said.upto) == (0, END, 3)


def test_a_shard_without_any_row_is_done_at_its_last_batch() -> None:
    said = steps(stage(), [], final=True)
    assert said.slices is not None
    assert (len(said.slices), said.slices.watermark, said.slices.signals) == (0, END, ())
    assert dict(said.outbox) == {}


def test_a_batch_without_rows_says_nothing() -> None:
    machine = stage()
    assert steps(machine, []).slices is None
    steps(machine, [at(1), at(9)])
    said = steps(machine, [])
    assert said.slices is None
    assert dict(said.outbox) == {}


def test_refused_rows_move_how_far_the_shard_has_been_read_and_not_the_watermark() -> None:
    machine = stage(allowed_lateness="1m")
    before = steps(machine, [at(1, 0), at(1, 1), at(1, 2)]).slices
    said = steps(machine, [at(90, high=8.0), Row(90 * MINUTE + 1, 1), at(1, 2)], first=4).slices
    assert before is not None
    assert said is not None
    assert (len(said), said.upto, said.watermark) == (0, 7, before.watermark)


def test_a_refused_message_behind_the_rows_moves_how_far_the_shard_has_been_read() -> None:
    refused = (Refused(12, b"{", "MESSAGE_INVALID", "half"),)
    said = steps(stage(), [at(1)], first=11, topic="candles", partition=0, refused=refused).slices
    assert said is not None
    assert (said.position.tolist(), said.upto) == ([11], 13)


def test_the_prices_of_a_mark_are_those_of_its_candle() -> None:
    row = at(1, 1, open=2.0, high=5.0, low=1.0, close=3.0)
    assert rows_of(steps(stage(), [at(1), row], final=True)) == [
        ("B/USDT", MINUTE, 10.0, 12.0, 9.0, 11.0),
        ("A/USDT", MINUTE, 2.0, 5.0, 1.0, 3.0),
    ]


def test_signals_come_with_the_rows_that_raised_them_and_then_by_the_order_of_the_strategies() -> None:
    machine = stage(allowed_lateness="1h")
    falls_and_rises = [at(1, s, close=c) for s in (0, 1) for c in (10.0,)]
    falls_and_rises += [at(2, 0, close=9.5), at(2, 1, close=9.5), at(3, 0, close=11.0), at(3, 1, close=11.0)]
    said = steps(machine, falls_and_rises)
    assert said.slices is not None
    assert [(s.ts // MINUTE, s.symbol, s.strategy) for s in said.slices.signals] == [
        (3, "B/USDT", "cross"),
        (3, "B/USDT", "moody"),
        (3, "A/USDT", "cross"),
    ]
    assert said.slices.signal_row == (4, 4, 5)
    assert said.outbox["signals"] == list(said.slices.signals)
    assert [s.mode for s in said.slices.signals] == ["live", "shadow", "live"]


def test_a_strategy_that_raises_is_told_and_the_others_go_on() -> None:
    rows = [at(1, close=10.0), at(2, close=9.0), at(3, close=12.0), at(4, close=9.0), at(5, close=10.0)]
    said = steps(stage(), rows, final=True)
    assert [(a.code, a.strategy, a.symbol, a.ts // MINUTE) for a in said.outbox["alerts"]] == [
        ("STRATEGY_RAISED", "moody", "B/USDT", 3)
    ]
    assert [(s.strategy, s.side, s.ts // MINUTE) for s in said.outbox["signals"]] == [
        ("cross", "long", 3),
        ("cross", "short", 4),
        ("cross", "long", 5),
    ]


def test_a_hole_is_an_alert_and_the_signal_after_it_knows_of_it() -> None:
    rows = [at(1, close=10.0), at(2, close=9.0), at(6, close=11.0)]
    said = steps(stage(), rows, final=True)
    assert [(a.code, a.figures["missing"]) for a in said.outbox["alerts"]] == [("CANDLE_GAP", 3)]
    assert [(s.strategy, s.missing) for s in said.outbox["signals"]] == [("cross", 3), ("moody", 3)]


def test_a_hole_that_is_filled_is_marked_flat_and_nothing_is_missing_after_it() -> None:
    rows = [at(1, close=10.0), at(2, close=9.0), at(4, close=11.0)]
    said = steps(stage(empty_candle="flat"), rows, final=True)
    assert rows_of(said)[2] == ("B/USDT", 3 * MINUTE, 9.0, 9.0, 9.0, 9.0)
    assert [(s.strategy, s.missing) for s in said.outbox["signals"]] == [("cross", 0), ("moody", 0)]


def test_flat_candles_come_before_the_watermark_passes_them_at_the_row_that_made_them() -> None:
    machine = stage(empty_candle="flat", allowed_lateness="1m")
    steps(machine, [at(1, 0), at(1, 1), at(1, 2)])
    said = steps(machine, [at(2), at(3), at(4)], first=4)
    assert said.slices is not None
    assert said.slices.watermark == 3 * MINUTE - 1
    assert marks(said) == [(2, "B/USDT"), (3, "B/USDT"), (2, "A/USDT"), (2, "C/USDT"), (4, "B/USDT")]
    assert said.slices.position.tolist() == [4, 5, 6, 6, 6]
    assert said.slices.came().tolist() == [True, True, False, False, True]


def test_a_signal_names_its_row_when_flat_candles_lie_before_it() -> None:
    rows = [at(1, close=10.0), at(2, close=9.0), at(5, close=11.0)]
    said = steps(stage(empty_candle="flat"), rows, final=True).slices
    assert said is not None
    assert [(signal.strategy, row) for signal, row in zip(said.signals, said.signal_row, strict=True)] == [
        ("cross", 4),
        ("moody", 4),
    ]
    assert said.ts.item(4) == 5 * MINUTE


def test_a_refused_row_is_a_dead_letter_with_its_reason_and_nothing_else_comes_of_it() -> None:
    rows = [at(1), at(2, high=8.0), at(2), at(2), at(2, close=10.5), at(1), Row(2 * MINUTE + 1), Row(-1)]
    said = steps(stage(), rows, final=True, first=11, raw={7: "noon,1,1,1,1"})
    assert [(d.position, d.reason, d.ts // MINUTE) for d in said.outbox["deadletters"]] == [
        (12, "HIGH_BELOW_LOW", 1),
        (14, "ROW_DUPLICATE", 2),
        (15, "ROW_CONFLICT", 2),
        (16, "ROW_OUT_OF_ORDER", 2),
        (17, "TIME_MISALIGNED", 2),
        (18, "TIME_UNREADABLE", 2),
    ]
    assert [d.raw for d in said.outbox["deadletters"]][-1] == "noon,1,1,1,1"
    assert [(a.code, a.ts // MINUTE, a.figures["close"]) for a in said.outbox["alerts"]] == [
        ("CANDLE_CORRECTED", 2, 10.5)
    ]
    assert marks(said) == [(1, "B/USDT"), (2, "B/USDT")]
    assert said.slices is not None
    assert (said.slices.position.tolist(), said.slices.upto) == ([11, 13], 19)


def test_the_metrics_of_a_day_come_with_the_first_candle_of_the_next() -> None:
    machine = stage(allowed_lateness="1w")
    rows = [at(1439), at(1440), at(1440), at(1442)]
    said = steps(machine, rows)
    assert [(m.ts, m.name, m.value, m.labels) for m in said.outbox["metrics"]] == [
        (DAY, "candles_accepted", 2, {"symbol": "B/USDT"}),
        (DAY, "candles_refused", 1, {"symbol": "B/USDT"}),
    ]


def test_a_row_far_in_the_future_does_not_stop_the_shard() -> None:
    machine = stage(empty_candle="flat", allowed_lateness="1m", max_flat=5)
    far = 253_402_300_740_000  # 9999-12-31T23:59:00Z
    assert len(marks(steps(machine, [at(1), at(1, 1), Row(far)]))) == 3 + 2 * 5  # the limit of flat candles of each
    said = steps(machine, [at(2), at(2, 1), Row(far, 1), Row(far, 2)], final=True)
    assert [d.reason for d in said.outbox["deadletters"]] == ["ROW_OUT_OF_ORDER", "ROW_LATE"]
    assert marks(said)[-2:] == [(far // MINUTE, "A/USDT"), (far // MINUTE, "C/USDT")]
    assert said.slices is not None
    assert said.slices.watermark == END


def test_a_symbol_that_the_source_learns_of_later_gets_a_place_of_its_own() -> None:
    machine = stage(allowed_lateness="1h")
    assert marks(steps(machine, [at(1)], symbols=("B/USDT",))) == [(1, "B/USDT")]
    said = steps(machine, [at(2, 1), at(2, 0)], symbols=("A/USDT", "B/USDT"), first=2)
    assert marks(said) == [(2, "B/USDT"), (2, "A/USDT")]
    assert said.slices is not None
    assert (said.slices.symbols, said.slices.slot.tolist()) == (("B/USDT", "A/USDT"), [0, 1])
    assert dict(said.outbox) == {}


@pytest.mark.parametrize("way", WAYS, ids=str)
@quick
@given(rows=streams(), cuts=CUTS)
def test_what_is_said_does_not_depend_on_the_cuts(way: dict[str, Any], rows: list[Row], cuts: list[int]) -> None:
    assert everything(rows, cuts, **way) == everything(rows, **way)


@pytest.mark.parametrize("way", WAYS, ids=str)
@quick
@given(rows=streams(), cuts=CUTS, restarts=st.sets(st.integers(0, 8), min_size=1))
def test_what_is_said_does_not_depend_on_restarts(
    way: dict[str, Any], rows: list[Row], cuts: list[int], restarts: set[int]
) -> None:
    assert everything(rows, cuts, sorted(restarts), **way) == everything(rows, **way)


@pytest.mark.parametrize("way", WAYS, ids=str)
@quick
@given(rows=streams())
def test_every_row_is_either_a_mark_or_a_dead_letter(way: dict[str, Any], rows: list[Row]) -> None:
    said = everything(rows, **way)
    marked = [position for position, came in said["places"] if came]
    refused = [decode(letter)["position"] for letter in said.get("deadletters", [])]
    assert sorted(marked + refused) == list(range(1, len(rows) + 1))
    assert marked == sorted(marked)
    real = [mark for mark, (_, came) in zip(said["slices"], said["places"], strict=True) if came]
    taken = [rows[position - 1] for position in marked]
    assert real == [(NAMES[row.slot], row.ts, *row.prices[:4]) for row in taken]
    if way.get("empty_candle") != "flat":
        assert len(real) == len(said["slices"])
    for name in NAMES:
        times = [mark[1] for mark in said["slices"] if mark[0] == name]
        assert times == sorted(set(times))


@pytest.mark.parametrize("way", WAYS, ids=str)
@quick
@given(rows=streams(), cut=st.integers(0, 40))
def test_what_is_said_of_a_prefix_is_a_prefix_of_what_is_said(way: dict[str, Any], rows: list[Row], cut: int) -> None:
    """No look ahead: what comes later changes nothing that has been said."""
    head, whole = stage(**way), everything(rows, **way)
    said = steps(head, rows[:cut])
    marked = rows_of(said)
    assert whole["slices"][: len(marked)] == marked
    if len(marked) < len(whole["slices"]):
        assert whole["places"][len(marked)][0] > min(cut, len(rows))  # all that could be said has been
    signals = [encode(one) for one in said.outbox.get("signals", [])]
    assert whole["raised signals"][: len(signals)] == signals


@quick
@given(streams())
def test_every_record_is_valid_on_its_topic(rows: list[Row]) -> None:
    for topic, lines in everything(rows, **WAYS[1]).items():
        if topic in TOPICS:
            for line in lines:
                TOPICS[topic].record.model_validate_json(line)


def test_a_snapshot_does_not_change_with_what_comes_after_it() -> None:
    machine = stage(allowed_lateness="1h", empty_candle="flat")
    steps(machine, [at(1), at(1, 1), at(2)])
    state = machine.snapshot()
    before = pickle.dumps(state)
    steps(machine, [at(9), at(5, 2), at(3, 1)])
    assert pickle.dumps(state) == before


def test_symbols_keep_their_places_over_a_restart_when_the_source_lists_them_in_another_order() -> None:
    machine = stage(allowed_lateness="1h")
    steps(machine, [at(1, 0, close=10.0), at(1, 1, close=9.0)])
    again = stage(allowed_lateness="1h")
    again.restore(machine.snapshot())
    turned = tuple(reversed(NAMES))
    said = steps(again, [replace(at(2, 2), close=11.0), at(2, 1, close=9.5)], symbols=turned, final=True)
    assert [(name, close) for name, *_, close in rows_of(said)] == [
        ("B/USDT", 11.0),
        ("A/USDT", 9.5),
    ]
    assert "deadletters" not in said.outbox


def test_a_strategy_that_writes_to_the_candles_is_quarantined_and_nobody_else_sees_it() -> None:
    def scribble(candles: Candles) -> Signals:
        candles.close[:] = 1.0
        return Signals()

    rows = [Row(60_000, close=11.0), Row(120_000, close=12.0)]
    machine = MarketStage(MarketConfig(), [Runner(Says(scribble), "scribbler", "shadow")], SHARDS)
    told = steps(machine, rows, final=True)
    assert [row[-1] for row in rows_of(told)] == [11.0, 12.0]
    (alert,) = told.outbox["alerts"]
    assert (alert.code, alert.strategy) == ("STRATEGY_RAISED", "scribbler")
    assert "read-only" in alert.message
