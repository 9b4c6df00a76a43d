"""The market stage of a shard whose candles are made of trades: what it says, beside the market stage alone."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from flows.bars.stage import BarStage
from flows.market.stage import Said
from schemas.batch import Refused
from schemas.config.market import MarketConfig
from schemas.deadletter import DeadLetter
from schemas.ids import event_id
from schemas.slices import END
from schemas.wire import encode
from tests.flows.bars.tapes import MINUTE, Row, batch, clock, plainly
from tests.flows.market.rows import Row as CandleRow
from tests.flows.market.stages import rows_of, stage, steps

SECOND = 1_000
BARS: dict[str, Any] = {"bars": {"timeframes": ["1m", "5m"]}}
PRICES = [10.0, 12.0, 9.0, 11.0, 13.0, 8.0, 10.0]
TRADES = [Row(minute * MINUTE, minute, 0, price) for minute, price in enumerate(PRICES)]


def bar_stage(**market: Any) -> BarStage:
    return BarStage(MarketConfig(**market), stage(**market))


def said(rows: Sequence[Row], cuts: Sequence[int] = (), **market: Any) -> tuple[list[Any], dict[str, list[bytes]]]:
    """The rows of all slices and the records by topic; taken up from a snapshot at each cut."""
    machine, slices, union = bar_stage(**market), [], dict[str, list[bytes]]()
    edges = [0, *cuts, len(rows)]
    for begin, end in pairwise(edges):
        state = pickle.dumps(machine.snapshot())
        machine = bar_stage(**market)
        machine.restore(pickle.loads(state))
        one = machine.step(batch(rows[begin:end], begin + 1, final=end == len(rows)))
        slices += rows_of(one)
        for topic, records in one.outbox.items():
            union.setdefault(topic, []).extend(map(encode, records))
    return slices, {topic: records for topic, records in union.items() if records}


def test_strategies_see_the_candles_of_the_first_timeframe_as_if_they_had_been_read() -> None:
    slices, union = said(TRADES, **BARS)
    candles = [CandleRow(one[0], 0, *one[2:7]) for one in plainly(TRADES, MINUTE)]
    alone = steps(stage(), candles, final=True)
    assert slices == rows_of(alone)
    assert union["signals"] == [encode(signal) for signal in alone.outbox["signals"]]
    assert union["signals"]


def test_every_candle_is_a_record_with_all_figures() -> None:
    rows = [Row(MINUTE, 1, 0, 10.0, 2.0), Row(MINUTE + 1, 2, 0, 13.0, 1.0, False)]
    _, union = said(rows, **BARS)
    figures = b'"open":10.0,"high":13.0,"low":10.0,"close":13.0,"volume":3.0,"quote_volume":33.0,"count":2'
    more = b',"taker_buy_volume":2.0,"vwap":11.0}'
    assert union["bars"] == [
        b'{"symbol":"B/USDT","timeframe":"%s","ts":%d,%s%s' % (timeframe, close, figures, more)
        for timeframe, close in ((b"1m", 2 * MINUTE), (b"5m", 5 * MINUTE))
    ]


def test_a_flat_candle_has_no_mean_price() -> None:
    _, union = said(
        [Row(0, 1), clock(3 * MINUTE), Row(5 * MINUTE, 2)], bars={"timeframes": ["1m"]}, empty_candle="flat"
    )
    flat = b'{"symbol":"B/USDT","timeframe":"1m","ts":120000,"open":10.0,"high":10.0,"low":10.0,"close":10.0'
    assert union["bars"][1] == flat + b',"volume":0.0,"quote_volume":0.0,"count":0,"taker_buy_volume":0.0}'


def test_what_is_said_does_not_depend_on_cuts_and_restarts() -> None:
    rows = [*TRADES[:4], replace(TRADES[0], id=50), TRADES[3], clock(4 * MINUTE), *TRADES[4:]]
    whole = said(rows, **BARS)
    assert b"TRADE_LATE" in whole[1]["deadletters"][0]
    for cut in range(1, len(rows)):
        assert said(rows, [cut], **BARS) == whole


def test_a_late_trade_is_a_dead_letter_with_its_text_and_the_instant_that_it_missed() -> None:
    machine = bar_stage(**BARS)
    late = Row(MINUTE - 1, 1, 1, 9.5, 0.25, False)
    rows = batch([Row(MINUTE + 2 * SECOND, 2), late], raw={1: "as it came"}, heads={1: ("A/USDT", ("a=1",))})
    (made,) = machine.step(replace(rows, topic="trades", partition=3, sources=("trades", "trades"))).outbox[
        "deadletters"
    ]
    letter = DeadLetter.model_validate_json(encode(made))
    assert letter.model_dump() == {
        "id": event_id("trades", 3, "A/USDT", 2, "TRADE_LATE"),
        "ts": MINUTE,
        "source": "trades",
        "partition": 3,
        "position": 2,
        "symbol": "A/USDT",
        "reason": "TRADE_LATE",
        "error": f"TRADE_LATE: ts={MINUTE - 1} id=1 price=9.5 amount=0.25 side=sell closed_ts={MINUTE}",
        "raw": "as it came",
        "encoding": "utf-8",
        "left_out": 0,
        "key": "A/USDT",
        "headers": ("a=1",),
    }


def test_a_message_that_is_no_trade_is_a_dead_letter_at_the_time_that_was_reached() -> None:
    machine = bar_stage(**BARS)
    refused = Refused(11, b"{", "MESSAGE_INVALID", "no object")
    rows = batch([Row(MINUTE, 1), Row(3 * MINUTE, 2)], topic="trades", partition=0, refused=(refused,))
    rows = replace(rows, position=np.array([10, 12]))
    (letter,) = machine.step(rows).outbox["deadletters"]
    assert (letter.position, letter.reason, letter.ts, letter.raw) == (11, "MESSAGE_INVALID", 0, "{")


def test_late_and_repeated_trades_are_counted_by_minute_and_symbol() -> None:
    rows = [TRADES[0], TRADES[0], Row(MINUTE + 2 * SECOND, 7), Row(1, 8, 1), TRADES[0], Row(3 * MINUTE, 9)]
    _, union = said(rows, **BARS)
    assert [line for line in union["metrics"] if b"trades_" in line] == [
        b'{"ts":60000,"name":"trades_duplicate","value":1,"labels":{"symbol":"B/USDT"}}',
        b'{"ts":120000,"name":"trades_duplicate","value":1,"labels":{"symbol":"B/USDT"}}',
        b'{"ts":120000,"name":"trades_late","value":1,"labels":{"symbol":"A/USDT"}}',
    ]


def watermarks(machine: BarStage, rows: Sequence[Row]) -> list[int | None]:
    found: list[Said] = [machine.step(batch([row], number)) for number, row in enumerate(rows, 1)]
    return [None if one.slices is None else one.slices.watermark for one in found]


def test_a_clock_alone_lets_time_go_on_once_for_each_candle() -> None:
    machine = bar_stage(**BARS)
    rows = [Row(0, 1), clock(1), clock(MINUTE + 2 * SECOND), clock(MINUTE + 3 * SECOND), clock(2 * MINUTE + 2 * SECOND)]
    assert watermarks(machine, rows) == [MINUTE - 1, None, 2 * MINUTE - 1, None, 3 * MINUTE - 1]
    last = machine.step(batch([], final=True)).slices
    assert last is not None
    assert last.watermark == END
