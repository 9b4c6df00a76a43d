from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.candle_file import CandleFileError, CandleSeries, read_candles
from connectors.sharding import merge, murmur2, shard_of
from connectors.tables import RawRows

# Vectors of Kafka's own test: org.apache.kafka.common.utils.UtilsTest.testMurmur2 (signed there).
KAFKA = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


def series(symbol: str, *ts: int, path: str = "x.csv") -> CandleSeries:
    times = np.array(ts, np.int64)
    price = np.arange(len(ts), dtype=np.float64) + 100 * ord(symbol[0])
    where = Path(path)
    return CandleSeries(
        where, symbol, 60_000, "", times, price, price + 3, price - 3, price + 1, price * 2, (), RawRows(where, "")
    )


@pytest.mark.parametrize("key", KAFKA)
def test_the_hash_is_kafkas(key: str) -> None:
    assert murmur2(key.encode()) == KAFKA[key] & 0xFFFFFFFF


@pytest.mark.parametrize("key", KAFKA)
def test_the_shard_is_the_positive_hash_modulo_the_partitions(key: str) -> None:
    assert shard_of(key, 12) == (KAFKA[key] & 0x7FFFFFFF) % 12


def test_symbols_fall_where_librdkafka_put_them() -> None:
    # Produced with confluent-kafka 2.16.1, partitioner murmur2_random, to a topic of 4 partitions.
    landed = {
        "BTC/USDT": 0,
        "ETH/USDT": 3,
        "SOL/USDT": 2,
        "XRP/USDT": 2,
        "XRP/USDT:USDT": 1,
        "BTC-PERP": 1,
        "ÄÖ/€": 2,
        "A": 2,
    }
    assert {symbol: shard_of(symbol, 4) for symbol in landed} == landed


def test_no_shards_is_an_error() -> None:
    with pytest.raises(ValueError, match="shards is 0"):
        shard_of("BTC/USDT", 0)


def test_rows_come_by_time_and_ties_by_symbol() -> None:
    merged = merge([series("B", 1, 2, 4), series("A", 2, 3, 4)])
    assert merged.symbols == ("A", "B")
    assert merged.ts.tolist() == [1, 2, 2, 3, 4, 4]
    assert merged.slot.tolist() == [1, 0, 1, 0, 0, 1]
    assert merged.series_row.tolist() == [0, 0, 1, 1, 2, 2]
    assert merged.open.tolist() == [6600, 6500, 6601, 6501, 6502, 6602]
    assert merged.high.tolist() == (merged.open + 3).tolist()
    assert merged.low.tolist() == (merged.open - 3).tolist()
    assert merged.close.tolist() == (merged.open + 1).tolist()
    assert merged.volume.tolist() == (merged.open * 2).tolist()


def test_rows_keep_their_quotes_and_have_none_where_their_file_has_none() -> None:
    quoted = replace(series("B", 1, 3), quote=np.array([[1.0, 2.0], [3.0, 2.0]]))
    merged = merge([quoted, series("A", 2)])
    assert merged.quote is not None
    np.testing.assert_array_equal(merged.quote, [[1.0, 2.0], [np.nan, np.nan], [3.0, 2.0]])
    assert merged.misquoted().tolist() == [False, False, True]
    plain = merge([series("A", 1), series("B", 1)])
    assert (plain.quote, plain.misquoted().tolist()) == (None, [False, False])


def test_a_row_out_of_order_stays_right_behind_its_predecessor() -> None:
    merged = merge([series("A", 1, 5, 2, 6), series("B", 2, 5, 6)])
    assert list(zip(merged.slot.tolist(), merged.ts.tolist(), strict=True)) == [
        (0, 1),
        (1, 2),
        (0, 5),
        (0, 2),
        (1, 5),
        (0, 6),
        (1, 6),
    ]


def test_a_row_without_a_readable_time_stays_behind_its_predecessor() -> None:
    merged = merge([series("A", 1, -1, 3), series("B", 2)])
    assert merged.ts.tolist() == [1, -1, 2, 3]


def test_one_series_is_not_copied() -> None:
    only = series("A", 3, 1, 2)
    merged = merge([only])
    assert merged.ts is only.ts
    assert merged.close is only.close
    assert merged.slot.tolist() == [0, 0, 0]
    assert merged.series_row.tolist() == [0, 1, 2]


def test_columns_have_the_types_that_kernels_are_compiled_for() -> None:
    for merged in (merge([series("A", 1)]), merge([series("A", 1), series("B", 1)])):
        assert [str(c.dtype) for c in (merged.slot, merged.ts, merged.series_row)] == ["int32", "int64", "int64"]
        assert all(
            column.flags.c_contiguous and column.flags.writeable for column in (merged.slot, merged.ts, merged.close)
        )


def test_two_files_of_one_symbol_are_refused_and_both_named() -> None:
    with pytest.raises(CandleFileError, match=r"first\.csv and second\.csv both hold A"):
        merge([series("A", 1, path="first.csv"), series("B", 1), series("A", 1, path="second.csv")])


def test_nothing_to_merge_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to merge"):
        merge([])


def test_raw_text_is_found_from_the_merged_row(tmp_path: Path) -> None:
    header = "ts,open,high,low,close\n"
    (tmp_path / "b.csv").write_text(header + "60,1,1,1,1\n120,2,2,2,2\n")
    (tmp_path / "a.csv").write_text(header + "180,4,4,4,4\n60,3,3,3,3\n")  # newest first
    merged = merge(
        [read_candles(tmp_path / "b.csv", timeframe_ms=60_000), read_candles(tmp_path / "a.csv", timeframe_ms=60_000)]
    )
    assert [merged.raw(row) for row in range(4)] == ["60,3,3,3,3", "60,1,1,1,1", "120,2,2,2,2", "180,4,4,4,4"]


@given(st.lists(st.lists(st.integers(0, 30), max_size=12), min_size=1, max_size=5))
def test_the_merge_is_the_sort_by_time_reached_symbol_and_row(times: list[list[int]]) -> None:
    many = [series(chr(65 + index), *ts) for index, ts in enumerate(times)]
    merged = merge(many[::-1])
    expected = sorted((max(ts[: row + 1]), slot, row) for slot, ts in enumerate(times) for row in range(len(ts)))
    assert list(zip(merged.slot.tolist(), merged.series_row.tolist(), strict=True)) == [
        (slot, row) for _, slot, row in expected
    ]
    assert merged.ts.tolist() == [times[slot][row] for _, slot, row in expected]
