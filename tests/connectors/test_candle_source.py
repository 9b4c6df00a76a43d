from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.candle_file import CandleSeries, read_candles
from connectors.candle_source import CandleReader, CandleSource
from schemas.batch import CandleBatch

HEADER = "ts,open,high,low,close,volume\n"


class Heard:
    """What a reader tells its surroundings."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int]] = []
        self.durable: list[tuple[str, int]] = []

    def on_rows(self, shard: str, rows: int) -> None:
        self.rows.append((shard, rows))

    def on_durable(self, shard: str, row: int) -> None:
        self.durable.append((shard, row))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[CandleSeries]:
    """Two files of one shard: A with a row that cannot be read, B newest first."""
    folder = tmp_path_factory.mktemp("candles")
    a = "60,1,3,1,2,10\n120,2,3,1,oops,20\nnoon,2,2,2,2,30\n240,2,3,1,1,40\n"
    b = "180,5,5,5,5,3\n120,6,6,6,6,2\n60,7,7,7,7,1\n"
    (folder / "a.csv").write_text(HEADER + a, encoding="utf-8")
    (folder / "b.csv").write_text(HEADER + b, encoding="utf-8")
    return [read_candles(folder / "b.csv"), read_candles(folder / "a.csv", timeframe_ms=60_000)]


def reader(series: list[CandleSeries], heard: Heard, batch_rows: int = 3, resume: int | None = None) -> CandleReader:
    source = CandleSource(["s"], lambda _: series, batch_rows, heard.on_rows, heard.on_durable)
    return source.build_part("candles", "s", resume)


def rest(part: CandleReader) -> list[CandleBatch]:
    found: list[CandleBatch] = []
    while True:
        try:
            items = part.next_batch()
        except StopIteration:
            return found
        assert [key for key, _ in items] == ["s"]
        found += [batch for _, batch in items]


def rows(batches: list[CandleBatch]) -> list[tuple[Any, ...]]:
    """Symbol, file, position, time and close of every row."""
    return [
        (b.symbols[s], b.sources[s], int(b.position[i]), int(b.ts[i]) // 1000, str(b.close[i]))
        for b in batches
        for i, s in enumerate(b.slot.tolist())
    ]


ALL = [
    ("A", "a.csv", 1, 120, "2.0"),
    ("B", "b.csv", 3, 120, "7.0"),
    ("A", "a.csv", 2, 180, "nan"),
    ("A", "a.csv", 3, 0, "2.0"),
    ("B", "b.csv", 2, 180, "6.0"),
    ("B", "b.csv", 1, 240, "5.0"),
    ("A", "a.csv", 4, 300, "1.0"),
]


def test_the_rows_of_a_shard_come_in_event_order_with_their_place_in_their_file(
    series: list[CandleSeries], heard: Heard
) -> None:
    found = rest(reader(series, heard))
    got = [(symbol, file, position, max(ts, 0), close) for symbol, file, position, ts, close in rows(found)]
    assert got == ALL


def test_a_batch_has_the_rows_asked_for_and_the_last_one_says_so(series: list[CandleSeries], heard: Heard) -> None:
    found = rest(reader(series, heard, batch_rows=3))
    assert [(len(batch), batch.final) for batch in found] == [(3, False), (3, False), (1, True)]
    assert all(batch.shard == "s" and batch.symbols == ("A", "B") for batch in found)
    assert all(batch.timeframes.tolist() == [60_000, 60_000] for batch in found)


def test_all_rows_in_one_batch_are_final(series: list[CandleSeries], heard: Heard) -> None:
    assert [(len(b), b.final) for b in rest(reader(series, heard, batch_rows=7))] == [(7, True)]
    assert [(len(b), b.final) for b in rest(reader(series, heard, batch_rows=100))] == [(7, True)]


def test_a_batch_has_columns_of_one_length_and_of_the_types_of_the_market_stage(
    series: list[CandleSeries], heard: Heard
) -> None:
    for batch in rest(reader(series, heard)):
        columns = [getattr(batch, n) for n in ("slot", "ts", "position", "open", "high", "low", "close", "volume")]
        assert {len(column) for column in columns} == {len(batch)}
        assert [str(column.dtype) for column in columns] == ["int32", "int64", "int64", *["float64"] * 5]
        assert batch.timeframes.dtype == np.int64


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 4, 7])
def test_a_row_that_cannot_be_read_carries_its_text(series: list[CandleSeries], heard: Heard, batch_rows: int) -> None:
    texts = []
    for batch in rest(reader(series, heard, batch_rows)):
        texts += [(batch.sources[batch.slot[row]], int(batch.position[row]), text) for row, text in batch.raw.items()]
    assert texts == [("a.csv", 2, "120,2,3,1,oops,20"), ("a.csv", 3, "noon,2,2,2,2,30")]


def test_the_text_of_an_infinite_value_is_kept_too(tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "x.csv").write_text(HEADER + "60,1,inf,1,2,10\n120,2,3,1,2,20\n", encoding="utf-8")
    (batch,) = rest(reader([read_candles(tmp_path / "x.csv")], heard))
    assert batch.raw == {0: "60,1,inf,1,2,10"}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.integers(0, 8), batch_rows=st.integers(1, 8), again=st.integers(1, 8))
def test_a_snapshot_is_followed_by_the_rows_that_had_not_been_handed_over(
    series: list[CandleSeries], before: int, batch_rows: int, again: int
) -> None:
    first = reader(series, Heard(), batch_rows)
    head = []
    for _ in range(before):
        try:
            head += [batch for _, batch in first.next_batch()]
        except StopIteration:
            break
    tail = rest(reader(series, Heard(), again, first.snapshot()))
    assert rows(head) + rows(tail) == rows(rest(reader(series, Heard(), 100)))
    assert [batch.final for batch in [*head, *tail]].count(True) == 1
    assert [*head, *tail][-1].final


def test_after_the_final_batch_there_is_nothing_left_also_after_a_restart(
    series: list[CandleSeries], heard: Heard
) -> None:
    done = reader(series, heard)
    rest(done)
    with pytest.raises(StopIteration):
        done.next_batch()
    assert rest(reader(series, heard, resume=done.snapshot())) == []


def test_a_snapshot_is_durable_when_the_next_batch_is_asked_for_and_not_before(
    series: list[CandleSeries], heard: Heard
) -> None:
    part = reader(series, heard, batch_rows=2)
    part.next_batch()
    part.next_batch()
    assert heard.durable == []
    part.snapshot()
    assert heard.durable == []
    part.next_batch()
    assert heard.durable == [("s", 4)]
    part.next_batch()
    assert heard.durable == [("s", 4)]


def test_of_several_snapshots_the_last_is_the_durable_one(series: list[CandleSeries], heard: Heard) -> None:
    part = reader(series, heard, batch_rows=2)
    part.snapshot()
    part.next_batch()
    part.snapshot()
    part.next_batch()
    assert heard.durable == [("s", 0), ("s", 2)]


def test_the_rows_told_are_never_more_than_there_are(series: list[CandleSeries], heard: Heard) -> None:
    part = reader(series, heard, batch_rows=4)
    rest(part)
    assert heard.rows == [("s", 0), ("s", 4), ("s", 7)]
    state = part.snapshot()
    with pytest.raises(StopIteration):
        part.next_batch()
    assert heard.durable == [("s", 7)]
    reader(series, heard, resume=state)
    assert heard.rows[-1] == ("s", 7)


def test_a_reader_that_goes_on_tells_at_once_how_far_it_is(series: list[CandleSeries], heard: Heard) -> None:
    reader(series, heard, resume=5)
    assert heard.rows == [("s", 5)]


def test_every_shard_is_a_part_and_only_its_own_files_are_read(series: list[CandleSeries], heard: Heard) -> None:
    asked = []

    def load(shard: str) -> list[CandleSeries]:
        asked.append(shard)
        return series[:1]

    source = CandleSource(["s", "t"], load, 10, heard.on_rows, heard.on_durable)
    assert source.list_parts() == ["s", "t"]
    assert asked == []
    ((key, batch),) = source.build_part("candles", "t", None).next_batch()
    assert (asked, key, batch.shard, batch.symbols) == (["t"], "t", "t", ("B",))


def test_real_candles_come_whole_whatever_the_batch(shared_data: Path, heard: Heard) -> None:
    real = read_candles(shared_data / "candles/btc-perp-20211231-20220201-1m.csv.gz")
    found = rest(reader([real], heard, batch_rows=10_000))
    assert [len(batch) for batch in found] == [10_000] * 4 + [5_031]
    assert np.array_equal(np.concatenate([batch.close for batch in found]), real.close)
    assert np.array_equal(np.concatenate([batch.position for batch in found]), np.arange(1, 45_032))
    assert all(batch.raw == {} for batch in found)
