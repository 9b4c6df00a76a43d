from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.align import Aligner
from schemas.slice import Slice
from schemas.slices import COLUMNS, END, Slices
from sinks.kafka import journal
from sinks.kafka.envelope import Entry
from sinks.kafka.journal import entries
from tests.flows.portfolio.stories import BTC, ETH, MINUTE, SOL, Row, at, flat, slices, wish


def of(entry: Entry) -> Slices:
    """What a reader of the journal gets."""
    return Slices.of(Slice.model_validate_json(entry.message.value))


def placed(told: Slices, positions: list[int]) -> Slices:
    return replace(told, position=np.array(positions, np.int64), upto=positions[-1] + 1 if positions else told.upto)


def test_an_entry_has_the_portfolio_as_key_and_says_which_positions_it_covers() -> None:
    told = placed(slices(flat((1, 2), 10.0), shard="candles-0"), [7, 9])
    (one,) = entries(told, "main", "paper.")
    assert (one.message.topic, one.message.key, one.message.schema) == ("paper.journal", "main", "Slice/1")
    assert (one.shard, one.first, one.upto) == ("candles-0", 7, 10)
    assert of(one).position.tolist() == [7, 9]


def test_parts_cover_what_the_whole_did_and_only_the_last_has_its_watermark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal, "ROWS", 2)
    rows = [*flat((1, 2, 3), 10.0), Row(3, 1, 1, 1, 1, ETH)]
    told = placed(slices(rows, [wish(3, "long", 10.0)], watermark=at(3)), [4, 5, 6, 8])
    told = replace(told, signal_row=(2,))
    parts = [of(one) for one in entries(told, "main")]
    assert [part.position.tolist() for part in parts] == [[4, 5], [6, 8]]
    assert [part.upto for part in parts] == [6, 9]
    assert [part.watermark for part in parts] == [0, at(3)]
    assert [part.symbols for part in parts] == [(BTC, ETH)] * 2
    assert [(len(part.signals), part.signal_row) for part in parts] == [(0, ()), (1, (0,))]


def test_rows_of_one_candle_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "ROWS", 1)
    told = placed(slices(flat(range(1, 7), 10.0)), [1, 2, 2, 2, 2, 3])
    assert [of(one).position.tolist() for one in entries(told, "main")] == [[1], [2, 2, 2, 2], [3]]


def test_many_rows_and_many_signals_stay_far_below_what_a_broker_takes() -> None:
    count = 10_000
    rows = [Row(n, 1 / 3, 1 / 3, 1 / 3, 1 / 3) for n in range(count)]
    told = placed(slices(rows, [wish(n, "long", 1 / 3) for n in range(count)]), list(range(count)))
    told = replace(told, signal_row=tuple(range(count)))
    made = entries(told, "main")
    assert max(len(one.message.value) for one in made) <= 500_000
    assert [p for one in made for p in of(one).position.tolist()] == list(range(count))
    assert [s.ts for one in made for s in of(one).signals] == [at(n) for n in range(count)]


def test_what_lies_behind_a_position_is_cut_anew() -> None:
    told = placed(slices(flat((1, 2, 3), 10.0)), [4, 5, 6])
    (one,) = entries(told, "main")
    (rest,) = one.after(5)
    assert of(rest).position.tolist() == [5, 6]
    assert (rest.first, rest.upto) == (5, 7)


def decided(parts: list[Slices], lateness: int) -> tuple[list[tuple[int, str, float]], list[tuple[int, str]], int]:
    """All rows and signals that come out of an aligner, block after block, and the last watermark."""
    aligner, watermark = Aligner(lateness), -1
    rows: list[tuple[int, str, float]] = []
    signals: list[tuple[int, str]] = []
    for part in parts:
        aligner.push(part)
        block = aligner.pop()
        if block is not None:
            names = [block.symbols[slot] for slot in block.slot.tolist()]
            rows += zip(block.ts.tolist(), names, block.close.tolist(), strict=True)
            signals += [(signal.ts, signal.symbol) for signal in block.signals]
            watermark = block.watermark
    return rows, signals, watermark


@st.composite
def spoken(draw: st.DrawFn, lateness: int) -> list[Slices]:
    """What two market stages say: each symbol in the order of time, the symbols of a shard in any, none too late."""
    queues: dict[str, list[Slices]] = {}
    for shard, symbols in (("one", (BTC, ETH, "XRP/USDT")), ("two", (SOL,))):
        minutes = {name: sorted(draw(st.sets(st.integers(0, 9), max_size=8))) for name in symbols}
        rows: list[Row] = []
        for name in draw(st.permutations([one for one in symbols for _ in minutes[one]])):
            minute = minutes[name].pop(0)
            if at(minute) >= max((at(row.minute) for row in rows), default=0) - lateness:
                rows.append(Row(minute, 1, 1, 1, minute + 0.5, name))
        cuts = [0, *sorted(draw(st.sets(st.integers(0, len(rows)), max_size=2))), len(rows)]
        queues[shard] = [said(shard, rows, begin, end, lateness) for begin, end in pairwise(cuts)]
    order = draw(st.permutations([shard for shard, parts in queues.items() for _ in parts]))
    return [queues[shard].pop(0) for shard in order]


def said(shard: str, rows: list[Row], begin: int, end: int, lateness: int) -> Slices:
    """What a shard says of its rows from ``begin`` on, before ``end``, in their order."""
    own = rows[begin:end]
    mark = max([0, *(at(row.minute) - lateness - 1 for row in rows[:end])]) if end < len(rows) else END
    told = slices(own, (), shard, mark)
    names = [told.symbols[slot] for slot in told.slot.tolist()]
    place = {pair: number for number, pair in enumerate(zip(names, told.ts.tolist(), strict=True))}
    order = [place[row.symbol, at(row.minute)] for row in own]
    columns = {name: getattr(told, name)[order] for name in COLUMNS}
    columns["position"] = np.arange(begin, end)
    wishes = tuple(wish(row.minute, "flat", row.close, symbol=row.symbol) for row in own)
    told = replace(told, **columns, upto=end, signals=wishes, signal_row=tuple(range(len(own))))
    return replace(told, shards=("one", "two"))


@given(st.data(), st.integers(1, 3), st.sampled_from([0, MINUTE, 3 * MINUTE]))
def test_whoever_reads_parts_decides_as_if_they_were_one(data: st.DataObject, rows: int, lateness: int) -> None:
    told = data.draw(spoken(lateness))
    whole = [of(one) for each in told for one in entries(each, "main")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "ROWS", rows)
        parts = [of(one) for each in told for one in entries(each, "main")]
    assert decided(parts, lateness) == decided(whole, lateness)
