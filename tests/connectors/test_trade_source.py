"""Tapes of a shard as one, and the source that hands them over."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from connectors.tape import Tape, merge
from connectors.trade_file import read_trades
from connectors.trade_source import TradeReader, TradeSource
from schemas.batch import TradeBatch

HEADER = "time,price,amount,side,id\n"


@pytest.fixture
def tapes(tmp_path: Path) -> list[Tape]:
    """Two markets; in the first a trade comes behind a later one, and one cannot be read."""
    first = "1000,1,1,buy,1\n1003,1,1,buy,2\n1001,1,1,buy,3\n1004,x,1,buy,4\n"
    second = "1000,2,1,sell,1\n1002,2,1,sell,2\n"
    found = []
    for name, rows in (("B_USDT", first), ("A_USDT", second)):
        (tmp_path / f"{name}-trades.csv").write_text(HEADER + rows, encoding="utf-8")
        found.append(read_trades(tmp_path / f"{name}-trades.csv"))
    return found


def test_tapes_are_merged_by_time_and_each_keeps_its_own_order(tapes: list[Tape]) -> None:
    one = merge(tapes)
    names = [one.symbols[slot] for slot in one.slot.tolist()]
    assert list(zip(names, one.id.tolist(), strict=True)) == [
        *(("B/USDT", 1), ("A/USDT", 1), ("A/USDT", 2)),
        *(("B/USDT", 2), ("B/USDT", 3), ("B/USDT", 4)),
    ]
    assert [one.raws[source](position)[:6] for source, position in zip(one.source, one.position, strict=True)] == [
        *("1000,1", "1000,2", "1002,2", "1003,1", "1001,1", "1004,x"),
    ]
    assert one.only(["A/USDT"]).id.tolist() == [1, 2]
    assert one.only(["A/USDT"]).symbols == ("A/USDT",)


class Heard:
    def __init__(self) -> None:
        self.rows: list[int] = []
        self.durable: list[int] = []

    def on_rows(self, _: str, rows: int) -> None:
        self.rows.append(rows)

    def on_durable(self, _: str, row: int) -> None:
        self.durable.append(row)


def reader(tapes: list[Tape], heard: Heard, resume: int | None = None) -> TradeReader:
    return TradeSource(["s"], lambda _: tapes, 4, heard.on_rows, heard.on_durable).build_part("trades", "s", resume)


def rest(part: TradeReader) -> list[TradeBatch]:
    found: list[TradeBatch] = []
    while True:
        try:
            found += [batch for _, batch in part.next_batch()]
        except StopIteration:
            return found


def test_batches_have_the_rows_in_order_and_the_last_is_final(tapes: list[Tape]) -> None:
    heard = Heard()
    batches = rest(reader(tapes, heard))
    assert [batch.id.tolist() for batch in batches] == [[1, 1, 2, 2], [3, 4]]
    assert [batch.final for batch in batches] == [False, True]
    assert (batches[0].symbols, batches[0].sources) == (
        ("A/USDT", "B/USDT"),
        ("A_USDT-trades.csv", "B_USDT-trades.csv"),
    )
    assert heard.rows == [0, 4, 6]


def test_a_reader_goes_on_where_its_snapshot_was_taken(tapes: list[Tape]) -> None:
    heard = Heard()
    part = reader(tapes, heard)
    part.next_batch()
    state = part.snapshot()
    ahead = rest(part)
    assert heard.durable == [4]
    again = rest(reader(tapes, heard, state))
    assert [batch.id.tolist() for batch in again] == [batch.id.tolist() for batch in ahead] == [[3, 4]]


def test_a_row_keeps_its_text_on_the_way_to_another_process(tapes: list[Tape]) -> None:
    batch = rest(reader(tapes, Heard()))[1]
    assert batch.raw[1] == "1004,x,1,buy,4"
    assert pickle.loads(pickle.dumps(batch)).raw == {0: "1001,1,1,buy,3", 1: "1004,x,1,buy,4"}
    with pytest.raises(KeyError):
        batch.raw[2]
