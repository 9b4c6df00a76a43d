from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.align import Aligner, Block
from schemas.slices import END, Slices
from tests.flows.portfolio.stories import BTC, ETH, SOL, Row, at, flat, minute_of, slices, wish


def rows_of(found: Block | None) -> list[tuple[int, str, float]]:
    """(minute, symbol, close) of each row."""
    assert found is not None
    names = [found.symbols[slot] for slot in found.slot.tolist()]
    return list(zip(map(minute_of, found.ts.tolist()), names, found.close.tolist(), strict=True))


def said(aligner: Aligner, *parts: Slices) -> list[Block | None]:
    """The blocks after each part. Two shards, unless the parts name others."""
    found = []
    for part in among(
        {"one", "two"} if {part.shard for part in parts} <= {"one", "two"} else {part.shard for part in parts}, parts
    ):
        aligner.push(part)
        found.append(aligner.pop())
    return found


def test_nothing_comes_before_every_shard_has_spoken() -> None:
    aligner = Aligner(MINUTE)
    assert aligner.pop() is None
    assert said(aligner, slices(flat((1, 2), 10.0), shard="one", watermark=at(2))) == [None]


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
    assert second.watermark == at(2)
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


def test_a_watermark_without_rows_makes_an_empty_block_and_a_repeated_one_makes_none() -> None:
    aligner = Aligner(MINUTE)
    first, again = said(aligner, *[slices([], shard="one", watermark=at(5))] * 2)
    assert first is not None
    assert (len(first), first.watermark) == (0, at(5))
    assert again is None


def test_a_symbol_keeps_its_slot_for_good() -> None:
    aligner = Aligner(MINUTE)
    first, second = said(
        aligner,
        slices(flat((1,), 3.0, SOL), shard="one", watermark=at(1)),
        slices([*flat((2,), 1.0, BTC), *flat((2,), 3.0, SOL)], shard="one"),
    )
    assert first is not None
    assert second is not None
    assert second.symbols[: len(first.symbols)] == first.symbols == (SOL,)
    assert rows_of(second) == [(2, BTC, 1.0), (2, SOL, 3.0)]
    assert second.timeframes.tolist() == [60_000, 60_000]


def test_a_shard_that_was_not_announced_is_an_error_and_holds_nothing_back() -> None:
    aligner = Aligner(MINUTE)
    with pytest.raises(KeyError, match="three"):
        aligner.push(slices(flat((1,), 1.0), shard="three", watermark=at(1)))
    assert rows_of(said(aligner, slices(flat((1, 2), 1.0), shard="one"))[0]) == [(1, BTC, 1.0), (2, BTC, 1.0)]


@st.composite
def told(draw: st.DrawFn) -> tuple[list[str], list[Slices], list[Row]]:
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
            slices(
                [row for row in own if low < row.minute <= high],
                [wish(row.minute, "flat", row.close, symbol=row.symbol) for row in own if low < row.minute <= high],
                shard,
                at(high) if high < 99 else END,
            )
            for low, high in zip([0, *cuts], [*cuts, 99], strict=True)
        ]
    while any(queues.values()):
        parts.append(queues[draw(st.sampled_from([shard for shard in shards if queues[shard]]))].pop(0))
    return shards, parts, sorted(rows, key=lambda row: (row.minute, row.symbol))


@given(told(), st.data())
def test_one_stream_comes_out_whatever_the_shards_the_cuts_the_order_and_a_restart(
    given_: tuple[list[str], list[Slices], list[Row]], data: st.DataObject
) -> None:
    shards, parts, rows = given_
    stop = data.draw(st.integers(0, len(parts)))
    aligner, found = Aligner(MINUTE), []
    for number, part in enumerate(parts):
        if number == stop:
            state = pickle.loads(pickle.dumps(aligner.snapshot()))
            aligner = Aligner(MINUTE)
            aligner.restore(state)
        found.extend(said(aligner, part))
    blocks = [one for one in found if one is not None]
    assert [row for one in blocks for row in rows_of(one)] == [(row.minute, row.symbol, row.close) for row in rows]
    signals = [(minute_of(signal.ts), signal.symbol) for one in blocks for signal in one.signals]
    assert signals == [(row.minute, row.symbol) for row in rows]
    marks = [one.watermark for one in blocks]
    assert marks == sorted(set(marks))
    assert marks[-1] == END
    for one in blocks:
        assert all(one.watermark >= ts for ts in one.ts.tolist())


def test_a_snapshot_does_not_move_with_the_aligner() -> None:
    aligner, again = Aligner(MINUTE), Aligner(MINUTE)
    said(aligner, slices(flat((1, 2), 10.0), shard="one"))
    taken = aligner.snapshot()
    said(aligner, slices([], shard="two"))
    again.restore(taken)
    assert rows_of(said(again, slices([], shard="two"))[-1]) == [(1, BTC, 10.0), (2, BTC, 10.0)]
