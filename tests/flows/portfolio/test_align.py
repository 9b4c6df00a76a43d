from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.align import Aligner, Block
from schemas.slices import END, Slices
from tests.flows.portfolio.stories import BTC, ETH, MINUTE, SOL, Row, among, at, flat, minute_of, rows_of, slices, wish

TWO = ("one", "two")


def said(aligner: Aligner, *parts: Slices) -> list[Block | None]:
    """The blocks after each part of two shards; nothing about them is odd."""
    found = []
    for part in among(TWO, parts):
        assert aligner.push(part) == []
        found.append(aligner.pop())
    return found


def test_nothing_comes_before_every_shard_has_spoken() -> None:
    aligner = Aligner(MINUTE)
    assert aligner.pop() is None
    assert aligner.waiting() == (-1, {})
    assert said(aligner, slices(flat((1, 2), 10.0), shard="one", watermark=at(2))) == [None]
    assert aligner.waiting() == (at(2), {"two": -1})


def test_what_every_shard_has_reached_comes_and_the_rest_waits() -> None:
    aligner = Aligner(MINUTE)
    first, second, third = said(
        aligner,
        slices(flat((1, 2, 3), 10.0), shard="one", watermark=at(3)),
        slices(flat((1, 2), 20.0, ETH), shard="two", watermark=at(2)),
        slices([], shard="two", watermark=END),
    )
    assert first is None
    assert rows_of(second) == [(1, BTC, 10.0), (1, ETH, 20.0), (2, BTC, 10.0), (2, ETH, 20.0)]
    assert second is not None
    assert second.watermark == at(3) - 1  # the next candle of ETH
    assert rows_of(third) == [(3, BTC, 10.0)]


def test_within_an_instant_rows_come_by_symbol_whichever_shard_spoke_first() -> None:
    parts = [
        slices(flat((1, 2), 3.0, SOL), shard="one"),
        slices([*flat((1, 2), 1.0, BTC), *flat((2,), 2.0, ETH)], shard="two"),
    ]
    for order in (parts, parts[::-1]):
        found = said(Aligner(MINUTE), *order)[-1]
        assert rows_of(found) == [(1, BTC, 1.0), (1, SOL, 3.0), (2, BTC, 1.0), (2, ETH, 2.0), (2, SOL, 3.0)]


def test_all_columns_of_a_row_stay_together() -> None:
    found = said(
        Aligner(MINUTE),
        slices([Row(1, 10, 12, 9, 11, SOL)], shard="one"),
        slices([Row(1, 20, 22, 19, 21, BTC)], shard="two"),
    )[-1]
    assert found is not None
    assert [column.tolist() for column in (found.open, found.high, found.low, found.close)] == [
        [20, 10],
        [22, 12],
        [19, 9],
        [21, 11],
    ]


def test_signals_come_by_instant_and_symbol_and_keep_the_order_of_the_strategies() -> None:
    in_this_order = tuple(wish(2, "long", 1.0, symbol=SOL, strategy=name) for name in ("b", "a"))
    parts = [
        replace(slices(flat((1, 2), 1.0, SOL), shard="one"), signals=in_this_order),
        slices(flat((1, 2), 1.0, BTC), [wish(1, "flat", 1.0), wish(2, "long", 1.0)], shard="two"),
    ]
    found = said(Aligner(MINUTE), *parts)[-1]
    assert found is not None
    assert [(minute_of(one.ts), one.symbol, one.strategy) for one in found.signals] == [
        (1, BTC, "a"),
        (2, BTC, "a"),
        (2, SOL, "b"),
        (2, SOL, "a"),
    ]


def test_signals_wait_with_their_instants() -> None:
    aligner = Aligner(MINUTE)
    wishes = [wish(1, "long", 10.0), wish(3, "flat", 10.0)]
    _, first, second = said(
        aligner,
        slices(flat((1, 2, 3), 10.0), wishes, shard="one"),
        slices([], shard="two", watermark=at(2)),
        slices([], shard="two"),
    )
    assert first is not None
    assert second is not None
    assert [minute_of(one.ts) for one in first.signals] == [1]
    assert [minute_of(one.ts) for one in second.signals] == [3]


def test_a_watermark_without_rows_makes_an_empty_block_and_a_repeated_or_older_one_makes_none() -> None:
    parts = [slices([], watermark=at(minute)) for minute in (5, 5, 4)]
    aligner = Aligner(MINUTE)
    found = [(aligner.push(part), aligner.pop())[1] for part in parts]
    assert found[0] is not None
    assert (len(found[0]), found[0].signals, found[0].watermark) == (0, (), at(5))
    assert [str(column.dtype) for column in (found[0].slot, found[0].ts, found[0].close)] == [
        "int32",
        "int64",
        "float64",
    ]
    assert found[1:] == [None, None]


def test_a_symbol_keeps_its_slot_for_good() -> None:
    aligner = Aligner(MINUTE)
    aligner.push(slices(flat((1,), 3.0, SOL), watermark=at(1)))
    first = aligner.pop()
    aligner.push(slices([*flat((2,), 1.0, BTC), *flat((2,), 3.0, SOL)]))
    second = aligner.pop()
    assert first is not None
    assert second is not None
    assert (first.symbols, second.symbols) == ((SOL,), (SOL, BTC))
    assert rows_of(second) == [(2, BTC, 1.0), (2, SOL, 3.0)]
    assert second.timeframes.tolist() == [60_000, 60_000]


def test_what_lies_far_apart_waits_in_pieces() -> None:
    """A part that is only partly complete is cut, and each piece keeps the order in which it came."""
    aligner = Aligner(MINUTE)
    early = slices([*flat((1, 5), 1.0), *flat((2, 9), 2.0, ETH), *flat((7,), 1.5)], shard="one")
    found = said(aligner, early, *(slices([], shard="two", watermark=at(minute)) for minute in (1, 3, 6, 20)))
    assert [None if one is None else rows_of(one) for one in found] == [
        None,
        [(1, BTC, 1.0)],
        [(2, ETH, 2.0)],
        [(5, BTC, 1.0)],
        [(7, BTC, 1.5), (9, ETH, 2.0)],
    ]


def part(rows: list[Row], shard: str, watermark: int) -> Slices:
    """The rows in this order, but each symbol's in the order of time; a signal at each."""
    queues = {name: sorted(row for row in rows if row.symbol == name) for name in {row.symbol for row in rows}}
    inside = [queues[row.symbol].pop(0) for row in rows]
    wishes = [wish(row.minute, "flat", row.close, symbol=row.symbol) for row in inside]
    return slices(inside, wishes, shard, watermark)


@st.composite
def told(draw: st.DrawFn) -> tuple[list[Slices], list[Row]]:
    """Rows of up to four symbols on up to three shards, cut at will, told in any order that a shard could keep."""
    shards = [f"shard-{number}" for number in range(draw(st.integers(1, 3)))]
    home = {name: draw(st.sampled_from(shards)) for name in (BTC, ETH, SOL, "XRP/USDT")}
    minutes = st.lists(st.integers(1, 12), unique=True, max_size=12)
    rows = [Row(minute, 1, 1, 1, minute + 0.5, name) for name in home for minute in draw(minutes)]
    parts: list[Slices] = []
    queues = {}
    for shard in shards:
        cuts = sorted(draw(st.sets(st.integers(1, 11), max_size=4)))
        own = [row for row in rows if home[row.symbol] == shard]
        queues[shard] = [
            part(
                draw(st.permutations([row for row in own if low < row.minute <= high])),
                shard,
                at(high) if high < 99 else END,
            )
            for low, high in zip([0, *cuts], [*cuts, 99], strict=True)
        ]
    while any(queues.values()):
        parts.append(queues[draw(st.sampled_from([shard for shard in shards if queues[shard]]))].pop(0))
    return among(shards, parts), sorted(rows, key=lambda row: (row.minute, row.symbol))


@given(told(), st.data())
def test_one_stream_comes_out_whatever_the_shards_the_cuts_the_order_and_a_restart(
    given_: tuple[list[Slices], list[Row]], data: st.DataObject
) -> None:
    parts, rows = given_
    stop = data.draw(st.integers(0, len(parts)))
    aligner, found = Aligner(MINUTE), []
    for number, part_ in enumerate(parts):
        if number == stop:
            state = pickle.loads(pickle.dumps(aligner.snapshot()))
            aligner = Aligner(MINUTE)
            aligner.restore(state)
        assert aligner.push(part_) == []
        found.append(aligner.pop())
    blocks = [one for one in found if one is not None]
    assert [row for one in blocks for row in rows_of(one)] == [(row.minute, row.symbol, row.close) for row in rows]
    signals = [(minute_of(signal.ts), signal.symbol) for one in blocks for signal in one.signals]
    assert signals == [(row.minute, row.symbol) for row in rows]
    marks = [one.watermark for one in blocks]
    assert marks == sorted(set(marks))
    assert marks[-1] == END
    for one in blocks:
        assert all(one.watermark >= ts for ts in one.ts.tolist())
    assert aligner.waiting() == (-1, {})


def test_a_snapshot_does_not_move_with_the_aligner() -> None:
    aligner, again = Aligner(MINUTE), Aligner(MINUTE)
    said(aligner, slices(flat((1, 2), 10.0), shard="one", watermark=-1))
    taken = aligner.snapshot()
    before = pickle.dumps(taken)
    said(aligner, slices(flat((2, 3), 1.0, ETH), shard="two", watermark=at(1)), slices(flat((3,), 1.0), shard="one"))
    assert pickle.dumps(taken) == before
    again.restore(taken)
    found = said(again, slices([], shard="two", watermark=at(9)))[-1]
    assert rows_of(found) == [(1, BTC, 10.0), (2, BTC, 10.0)]


def test_a_symbol_waits_for_its_own_timeframe_and_does_not_hold_back_shorter_ones() -> None:
    aligner = Aligner(MINUTE)
    hourly = replace(slices(flat((60,), 9.0, ETH), watermark=-1), timeframes=np.array([60 * MINUTE]))
    found = []
    for one in (hourly, *(slices(flat((minute,), 1.0), watermark=-1) for minute in (60, 61, 119, 120))):
        aligner.push(one)
        found.append(aligner.pop())
    # Until a minute of event time has passed, more symbols may show themselves.
    assert [None if one is None else (rows_of(one), one.watermark) for one in found] == [
        None,
        None,
        ([(60, BTC, 1.0), (60, ETH, 9.0), (61, BTC, 1.0)], at(62) - 1),
        ([(119, BTC, 1.0)], at(120) - 1),
        None,
    ]
    assert aligner.waiting() == (at(120), {"shard-0000": at(120) - 1})


def test_a_shard_without_an_end_keeps_the_stream_open() -> None:
    aligner = Aligner(MINUTE)
    first, second, third = said(
        aligner,
        slices(flat((1, 2, 3), 1.0), shard="one"),
        slices(flat((1, 2), 2.0, ETH), shard="two", watermark=-1),
        slices([], shard="two"),
    )
    assert first is None
    assert second is not None
    assert second.watermark == at(3) - 1
    assert third is not None
    assert (rows_of(third), third.watermark) == ([(3, BTC, 1.0)], END)
