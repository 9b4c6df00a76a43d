"""A file of candles that knows what it covers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.candle import Candle
from sinks.candle_history import CandleHistory, HistoryError

MINUTE = 60_000
MARKET = ("binance", "BTC/USDT", "1m")


def candle(opened: int, **further: Any) -> Candle:
    prices = {"open": 2.0, "high": 3.0, "low": 1.0, "close": 2.5, "volume": 4.0}
    return Candle(symbol="BTC/USDT", timeframe="1m", ts=(opened + 1) * MINUTE, **prices, **further)


def history(folder: Path, market: tuple[str, str, str] = MARKET) -> CandleHistory:
    return CandleHistory(folder / "BTC_USDT-1m.parquet", market)


def test_what_was_added_is_there_in_order_and_once(tmp_path: Path) -> None:
    there = history(tmp_path)
    there.add([candle(4), candle(5)], 4 * MINUTE, 6 * MINUTE)
    there.add([candle(1), candle(4)], MINUTE, 4 * MINUTE)
    there.finish()
    table = pyarrow.parquet.read_table(there.path)
    assert table["date"].cast("int64").to_pylist() == [MINUTE, 4 * MINUTE, 5 * MINUTE]
    assert table.column_names == ["date", "open", "high", "low", "close", "volume"]
    again = history(tmp_path)
    assert again.covered == [(MINUTE, 6 * MINUTE)]
    assert again.within(0, 5 * MINUTE).tolist() == [MINUTE, 4 * MINUTE]
    assert again.gaps(0, 8 * MINUTE) == [(0, MINUTE), (2 * MINUTE, 4 * MINUTE), (6 * MINUTE, 8 * MINUTE)]


def test_what_an_exchange_does_not_always_tell_is_null(tmp_path: Path) -> None:
    there = history(tmp_path)
    there.add([candle(1), candle(2, count=3, vwap=2.25)], MINUTE, 3 * MINUTE)
    there.save()
    assert [path.name for path in tmp_path.iterdir()] == ["BTC_USDT-1m.parquet.partial"]
    history(tmp_path).finish()
    assert [path.name for path in tmp_path.iterdir()] == ["BTC_USDT-1m.parquet"]
    table = pyarrow.parquet.read_table(there.path)
    assert table["count"].to_pylist() == [None, 3]
    assert table["count"].type == pa.int64()
    assert table["vwap"].to_pylist() == [None, 2.25]
    assert "taker_buy_volume" not in table.column_names


def test_without_a_candle_nothing_is_written(tmp_path: Path) -> None:
    there = history(tmp_path)
    there.add([], 0, MINUTE)
    there.save()
    there.finish()
    assert list(tmp_path.iterdir()) == []
    assert there.gaps(0, 2 * MINUTE) == [(0, 2 * MINUTE)]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted), max_size=6), st.integers(0, 20))
def test_what_is_missing_is_what_was_not_added(stretches: list[list[int]], since: int) -> None:
    there = CandleHistory(Path("no-such-folder/file.parquet"), MARKET)
    known = set[int]()
    for start, end in stretches:
        there.add([], start, end)
        known |= set(range(start, end))
    missing = there.missing(since, 20)
    assert {at for a, b in missing for at in range(a, b)} == set(range(since, 20)) - known
    assert all(a < b for a, b in missing)


def test_a_file_of_another_market_or_of_none_is_refused(tmp_path: Path) -> None:
    there = history(tmp_path)
    there.add([candle(1)], MINUTE, 2 * MINUTE)
    there.finish()
    with pytest.raises(HistoryError, match=r"is not to be continued \(penstock.exchange binance\): give another --out"):
        history(tmp_path, ("kraken", "BTC/USDT", "1m"))
    there.path.write_bytes(b"no parquet")
    with pytest.raises(HistoryError, match=r"is there and cannot be read .*: move it away"):
        history(tmp_path)
