import pickle
from dataclasses import fields, replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.signal import Signal
from schemas.slice import Slice
from schemas.slices import END, SliceRow, Slices, empty_columns, notice
from schemas.wire import encode, wire

PRICES = st.floats(min_value=1e-300, allow_infinity=False, allow_nan=False)


def signal(name: str) -> Signal:
    return wire(Signal)(
        id=name,
        ts=60_000,
        symbol="B",
        timeframe="1m",
        strategy="mine",
        version="1.0.0",
        mode="live",
        side="long",
        price=10.0,
        stop=9.0,
        target=None,
        confidence=1.0,
        missing=0,
        reason="",
        values={"atr": 0.5},
    )


SIGNAL = signal("s")


def plain(said: Slices | None) -> Any:
    """All of it as plain values with the types of its columns, to be compared."""
    if said is None:
        return None
    values = {field.name: getattr(said, field.name) for field in fields(said)}
    return {
        name: (value.tolist(), str(value.dtype)) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


@st.composite
def told(draw: st.DrawFn) -> Slices:
    """Rows of up to three symbols at rising positions, flat candles before some of them, signals at some."""
    position: list[int] = []
    for _ in range(draw(st.integers(0, 8))):
        at = (position[-1] if position else 40) + draw(st.integers(1, 3))  # what lies between them was refused
        position += [at] * draw(st.sampled_from((1, 1, 1, 2, 4)))
    count = len(position)
    open_, high, low, close = (
        np.array(draw(st.lists(PRICES, min_size=count, max_size=count)), np.float64) for _ in range(4)
    )
    raised = sorted(draw(st.lists(st.integers(0, count - 1), max_size=4))) if count else []
    return Slices(
        "candles-1",
        ("candles-0", "candles-1"),
        ("B", "A", "C"),
        np.array([60_000, 3_600_000, 604_800_000]),
        np.array(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)), np.int32),
        np.arange(1, count + 1) * 60_000,
        open_,
        high,
        low,
        close,
        np.array(position, np.int64),
        tuple(signal(f"s{number}") for number in range(len(raised))),
        tuple(raised),
        (position[-1] if position else 40) + draw(st.integers(1, 3)),
        draw(st.sampled_from((-1, 0, 60_000, END))),
    )


def test_the_length_is_the_number_of_rows() -> None:
    assert len(Slices("s", ("s",), ("B",), np.array([60_000]), *empty_columns(), (), (), 0, 5)) == 0


def test_empty_columns_have_the_types_of_full_ones() -> None:
    assert [(len(column), str(column.dtype)) for column in empty_columns()] == [
        (0, "int32"),
        (0, "int64"),
        *[(0, "float64")] * 4,
        (0, "int64"),
    ]


def test_the_end_lies_behind_every_instant_and_fits_the_column_of_times() -> None:
    year_9999 = 253_402_300_799_999
    assert year_9999 < END < np.iinfo(np.int64).max


def rows(*position: int) -> Slices:
    """A row of one symbol at each position."""
    p = np.arange(1.0, len(position) + 1)
    ts, slot = np.arange(len(position)) * 60_000, np.zeros(len(position), np.int32)
    at, last = np.array(position, np.int64), len(position) - 1
    symbols, steps = ("B",), np.array([60_000])
    return Slices("s", ("s",), symbols, steps, slot, ts, p, p, p, p, at, (SIGNAL,), (last,), position[-1] + 1, 7)


def test_slices_go_between_processes_with_their_signals() -> None:
    said = rows(4, 5)
    assert plain(pickle.loads(pickle.dumps(said))) == plain(said)


def test_a_flat_candle_is_known_by_the_position_of_the_row_after_it() -> None:
    assert rows(4, 4, 5, 7, 7, 7).came().tolist() == [False, True, True, False, False, True]
    assert notice("s", ("s",), 3, 5, "timeout", 1).came().tolist() == []


# -- after ------------------------------------------------------------------------------------------------------------


def test_what_lies_behind_a_position_is_cut_off_with_its_signals() -> None:
    said = rows(4, 5, 8)
    assert said.after(3) is said
    assert said.after(4) is said
    half = said.after(5)
    assert half is not None
    assert (half.position.tolist(), half.close.tolist(), half.signals, half.signal_row) == (
        [5, 8],
        [2.0, 3.0],
        (SIGNAL,),
        (1,),
    )
    assert [one and one.position.tolist() for one in (said.after(6), said.after(8), said.after(9))] == [[8], [8], None]


def test_flat_candles_go_with_the_row_that_made_them() -> None:
    said = rows(4, 6, 6, 6)
    assert [one and one.close.tolist() for one in map(said.after, (4, 5, 6, 7))] == [
        [1.0, 2.0, 3.0, 4.0],
        [2.0, 3.0, 4.0],
        [2.0, 3.0, 4.0],
        None,
    ]


def test_when_only_refused_messages_lie_behind_a_position_they_are_said_without_rows() -> None:
    said = replace(rows(4, 5), upto=9).after(7)
    assert said is not None
    assert (len(said), said.signals, said.signal_row, said.upto, said.watermark) == (0, (), (), 9, 7)


@given(told(), st.data())
def test_the_pieces_between_any_positions_make_up_the_whole(said: Slices, data: st.DataObject) -> None:
    for cut in range(38, said.upto + 3):
        rest = said.after(cut)
        assert (rest is None) == (cut >= said.upto)
        kept = [row for row, position in enumerate(said.position.tolist()) if position >= cut]
        if rest is None:
            assert kept == []
            continue
        begin = len(said) - len(kept)
        assert kept == list(range(begin, len(said)))
        for name in ("slot", "ts", "open", "high", "low", "close", "position"):
            assert np.array_equal(getattr(rest, name), getattr(said, name)[begin:])
        marked = [(one.id, row) for one, row in zip(said.signals, said.signal_row, strict=True) if row >= begin]
        assert [(one.id, row + begin) for one, row in zip(rest.signals, rest.signal_row, strict=True)] == marked
        assert (rest.upto, rest.watermark, rest.symbols, rest.shards) == (
            said.upto,
            said.watermark,
            said.symbols,
            said.shards,
        )
        again = data.draw(st.integers(cut, said.upto))
        assert plain(rest.after(again)) == plain(said.after(again))


# -- the journal ------------------------------------------------------------------------------------------------------


def journaled(said: Slices) -> Slices:
    """Over the wire and back."""
    return Slices.of(msgspec.json.decode(encode(said.record()), type=SliceRow))


@given(told())
def test_the_journal_gives_back_what_was_said(said: Slices) -> None:
    line = encode(said.record())
    assert encode(Slice.model_validate_json(line).model_dump(exclude_defaults=True)) == line
    again = journaled(said)
    used = sorted(set(said.slot.tolist()))
    assert again.symbols == tuple(said.symbols[slot] for slot in used)
    assert again.timeframes.tolist() == said.timeframes[used].tolist()
    assert [again.symbols[slot] for slot in again.slot.tolist()] == [said.symbols[slot] for slot in said.slot.tolist()]
    rest = ("symbols", "timeframes", "slot")
    mine, theirs = plain(said), plain(again)
    assert {name: theirs[name] for name in theirs if name not in rest} == {
        name: mine[name] for name in mine if name not in rest
    }
    assert [theirs[name][1] for name in ("timeframes", "slot")] == ["int64", "int32"]
    assert plain(journaled(again)) == theirs


@pytest.mark.parametrize("cause", ["timeout", "silence"])
def test_that_nothing_came_is_an_entry_too(cause: Any) -> None:
    said = notice("candles-1", ["candles-0", "candles-1"], 42, 60_000, cause, 5_000)
    assert (said.cause, said.waited_ms, said.upto, said.watermark, len(said)) == (cause, 5_000, 42, 60_000, 0)
    assert plain(journaled(said)) == plain(said)
    Slice.model_validate_json(encode(said.record()))


def test_the_journal_names_only_symbols_that_have_rows() -> None:
    said = replace(rows(4, 5), symbols=("A", "B", "C"), timeframes=np.array([60_000, 300_000, 60_000]))
    record = replace(said, slot=np.array([2, 1], np.int32)).record()
    assert (record.symbols, record.timeframes, record.slot) == (["B", "C"], ["5m", "1m"], [1, 0])
