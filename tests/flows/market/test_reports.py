from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from flows.market import reports
from flows.market.checks import Verdict
from flows.market.runner import Raised
from flows.market.stage import MarketStage
from flows.outbox import new_outbox
from schemas.alert import Alert
from schemas.batch import CandleBatch, Refused
from schemas.config.market import MarketConfig
from schemas.deadletter import DeadLetter, value_of
from schemas.ids import event_id
from schemas.metric import Metric
from schemas.wire import encode
from tests.flows.market.rows import MINUTE, NAMES, Row, at, batch, candles, steps


def test_a_refused_row_becomes_a_dead_letter_with_its_place_its_reason_its_figures_and_the_row_itself() -> None:
    outbox = new_outbox()
    rows = [at(5), at(4, 1, high=8.0)]
    reports.dead_letters(
        outbox, batch(rows, first=41), np.array([0, Verdict.HIGH_BELOW_LOW], np.int8), np.array([-1, 3 * MINUTE])
    )
    assert dict(outbox).keys() == {"deadletters"}
    (made,) = (DeadLetter.model_validate_json(encode(record)) for record in outbox["deadletters"])
    assert made.model_dump() == {
        "id": event_id("a.csv", "A/USDT", 42, "HIGH_BELOW_LOW"),
        "ts": 180_000,
        "source": "a.csv",
        "position": 42,
        "symbol": "A/USDT",
        "reason": "HIGH_BELOW_LOW",
        "error": "HIGH_BELOW_LOW: ts=240000 open=10.0 high=8.0 low=9.0 close=11.0 volume=1.0 timeframe_ms=60000 "
        "after_ts=180000",
        "raw": '{"symbol":"A/USDT","ts":240000,"open":10.0,"high":8.0,"low":9.0,"close":11.0,"volume":1.0}',
        "encoding": "utf-8",
        "left_out": 0,
        "partition": None,
        "key": None,
        "headers": (),
    }


def test_the_dead_letter_of_a_message_has_its_key_and_its_headers() -> None:
    outbox, heads = new_outbox(), {1: ("A/USDT", ("a=1", "b"))}
    rows = replace(batch([at(5), at(4)]), topic="candles", partition=3, heads=heads)
    reports.dead_letters(outbox, rows, np.array([0, Verdict.HIGH_BELOW_LOW], np.int8), np.array([-1, -1]))
    (made,) = outbox["deadletters"]
    assert (made.partition, made.key, made.headers) == (3, "A/USDT", ("a=1", "b"))


def test_a_row_that_could_not_be_read_is_kept_as_it_came() -> None:
    outbox = new_outbox()
    rows = batch([Row(-1, close=math.nan)], raw={0: "noon,10,12,9,?,1"})
    reports.dead_letters(outbox, rows, np.array([Verdict.TIME_UNREADABLE], np.int8), np.array([-1]))
    (made,) = outbox["deadletters"]
    assert (made.raw, made.ts) == ("noon,10,12,9,?,1", 0)
    assert made.error.startswith("TIME_UNREADABLE: ts=-1 open=10.0 high=12.0 low=9.0 close=nan volume=1.0 ")


def test_an_infinite_value_is_null_in_the_raw_row_when_there_is_no_text() -> None:
    outbox = new_outbox()
    reports.dead_letters(outbox, batch([at(1, high=math.inf)]), np.array([2], np.int8), np.array([-1]))
    assert json.loads(outbox["deadletters"][0].raw)["high"] is None
    assert "high=inf" in outbox["deadletters"][0].error


def test_a_hole_becomes_an_alert_with_its_first_and_last_candle() -> None:
    rows = candles([at(3), at(7), at(7, 1)])
    ((position, alert),) = reports.gaps(rows, np.array([5, 6, 8]), np.array([0, 3, 0]), NAMES, steps())
    made = Alert.model_validate_json(encode(alert))
    assert position == 6
    assert made.model_dump() == {
        "id": event_id("B/USDT", 7 * MINUTE, "CANDLE_GAP"),
        "ts": 420_000,
        "level": "warning",
        "code": "CANDLE_GAP",
        "symbol": "B/USDT",
        "strategy": None,
        "message": "CANDLE_GAP: missing=3 first_ts=240000 last_ts=360000",
        "figures": {"missing": 3, "first_ts": 240_000, "last_ts": 360_000},
    }


def test_without_holes_nothing_is_said() -> None:
    outbox = new_outbox()
    assert list(reports.gaps(candles([at(3), at(4)]), np.array([1, 2]), np.array([0, 0]), NAMES, steps())) == []
    reports.dead_letters(outbox, batch([at(3)]), np.zeros(1, np.int8), np.array([-1]))
    reports.days(outbox, np.empty((0, 5), np.int64), NAMES)
    assert dict(outbox) == {}


def test_a_quarantine_is_a_critical_alert_that_names_the_strategy_the_symbol_and_the_error() -> None:
    alert = reports.quarantined("mine", Raised("A/USDT", 60_000, "KeyError: 'atr'"))
    made = Alert.model_validate_json(encode(alert))
    assert made.model_dump() == {
        "id": event_id("mine", "A/USDT", 60_000, "STRATEGY_RAISED"),
        "ts": 60_000,
        "level": "critical",
        "code": "STRATEGY_RAISED",
        "symbol": "A/USDT",
        "strategy": "mine",
        "message": "STRATEGY_RAISED: KeyError: 'atr'; quarantined on A/USDT, open positions keep their stops",
        "figures": {"error": "KeyError: 'atr'"},
    }


def test_a_day_that_ended_becomes_metrics_and_only_what_happened_is_counted() -> None:
    outbox = new_outbox()
    day = 86_400_000
    reports.days(outbox, np.array([[0, day, 1440, 0, 0], [1, 2 * day, 7, 2, 1433]]), NAMES)
    made = [Metric.model_validate_json(encode(record)) for record in outbox["metrics"]]
    assert [(one.ts, one.name, one.value, one.labels) for one in made] == [
        (day, "candles_accepted", 1440.0, {"symbol": "B/USDT"}),
        (2 * day, "candles_accepted", 7.0, {"symbol": "A/USDT"}),
        (2 * day, "candles_refused", 2.0, {"symbol": "A/USDT"}),
        (2 * day, "candles_missing", 1433.0, {"symbol": "A/USDT"}),
    ]


def refusing(rows: list[Row], first: int, *refused: Refused) -> CandleBatch:
    return replace(batch(rows, first=first), topic="candles", partition=3, refused=refused)


def test_a_refused_message_becomes_a_dead_letter_with_its_bytes_its_headers_and_the_time_of_the_stream() -> None:
    outbox = new_outbox()
    rows = refusing([at(5), at(6)], 11, Refused(12, b"{\xff", "MESSAGE_INVALID", "no object", ("a=1", "b"), None, "k"))
    rows = replace(rows, position=np.array([11, 13]))
    reports.refusals(outbox, rows, rows.ts, -1)
    (made,) = (DeadLetter.model_validate_json(encode(record)) for record in outbox["deadletters"])
    assert made.model_dump() == {
        "id": event_id("candles", 3, 12, "MESSAGE_INVALID"),
        "ts": 300_000,
        "source": "candles",
        "position": 12,
        "symbol": None,
        "reason": "MESSAGE_INVALID",
        "error": "MESSAGE_INVALID: no object",
        "raw": "e/8=",
        "encoding": "base64",
        "left_out": 0,
        "partition": 3,
        "key": "k",
        "headers": ("a=1", "b"),
    }


def test_dead_letters_of_a_topic_are_the_same_however_it_was_cut() -> None:
    bad = [Refused(position, b"{", "MESSAGE_INVALID", "half") for position in (0, 2, 5)]
    rows = {1: at(1), 3: at(2, high=1.0), 4: at(2)}

    def told(*cuts: int) -> list[tuple[int, str, int, str]]:
        machine, letters = MarketStage(MarketConfig(), [], []), []
        for begin, end in pairwise((0, *cuts, 6)):
            inside = [position for position in rows if begin <= position < end]
            made = refusing(
                [rows[position] for position in inside], 0, *(one for one in bad if begin <= one.position < end)
            )
            said = machine.step(replace(made, position=np.array(inside, np.int64)))
            letters += [(row.position, row.id, row.ts, row.reason) for row in said.outbox["deadletters"]]
        return letters

    whole = told()
    assert [(position, ts, reason) for position, _, ts, reason in whole] == [
        (0, 0, "MESSAGE_INVALID"),
        (2, 60_000, "MESSAGE_INVALID"),
        (3, 60_000, "HIGH_BELOW_LOW"),
        (5, 120_000, "MESSAGE_INVALID"),
    ]
    assert all(told(*cuts) == whole for cuts in ((1,), (2, 3), (4,), (1, 2, 3, 4, 5)))


def test_refused_messages_alone_are_told_before_any_symbol_is_known() -> None:
    empty = replace(batch([], symbols=()), topic="candles", partition=0, refused=(Refused(0, None, "A_B", "null"),))
    said = MarketStage(MarketConfig(), [], []).step(empty)
    assert said.slices is not None
    assert (len(said.slices), said.slices.upto, said.slices.watermark) == (0, 1, -1)
    assert [(row.raw, row.ts, row.error) for row in said.outbox["deadletters"]] == [(None, 0, "A_B: null")]


def test_what_json_would_blow_up_is_kept_in_base64_and_what_is_too_large_is_cut() -> None:
    for raw, encoding, left_out in (
        (b"\n" * 50_000, "utf-8", 0),
        (b"\n" * 200_000, "base64", 0),
        (b"x" * 200_000, "utf-8", 0),
        (b"x" * 2_000_007, "utf-8", 7),
    ):
        sent = replace(batch([], symbols=()), topic="candles", partition=0, refused=(Refused(0, raw, "A_B", "null"),))
        (letter,) = MarketStage(MarketConfig(), [], []).step(sent).outbox["deadletters"]
        assert (letter.encoding, letter.left_out) == (encoding, left_out)
        assert value_of(letter) == raw[: len(raw) - left_out]
