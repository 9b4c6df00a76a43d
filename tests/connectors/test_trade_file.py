"""Files of trades, in the forms in which exchanges and tools write them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from connectors.errors import CandleFileError
from connectors.trade_file import holds_trades, read_trades
from schemas.batch import NO_SIDE

HEADER = "time,price,amount,side,id\n"
ROWS = "1000,10.5,2,buy,7\n1001,10.25,0.5,sell,8\n"


def written(folder: Path, text: str, name: str = "BTC_USDT-trades.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROWS,
        "id;TS;Price;Size;Side\n7;1000;10.5;2;B\n8;1001;10.25;0.5;Ask\n",
        "id,price,qty,quoteQty,timestamp,isBuyerMaker,isBestMatch\n7,10.5,2,21,1000,false,true\n8,10.25,0.5,5,1001,True,true\n",
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n7,10.5,2,1,2,1000,0\n8,10.25,.5,3,4,1001,1\n",
        "date,trade_id,side,volume,price\n1970-01-01T00:16:40Z,7,Buy,2,10.5\n1970-01-01T00:16:41Z,8,SELL,0.5,10.25\n",
        HEADER + "1001,10.25,0.5,sell,8\n1000,10.5,2,buy,7\n",
    ],
    ids=["plain", "other names", "binance trades", "binance aggTrades", "iso times", "newest first"],
)
def test_columns_are_found_by_their_names(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    tape = read_trades(path)
    assert holds_trades(path)
    assert tape.symbols == ("BTC/USDT",)
    assert tape.ts.tolist() == [1_000_000, 1_001_000]
    assert (tape.price.tolist(), tape.amount.tolist()) == ([10.5, 10.25], [2.0, 0.5])
    assert (tape.buy.tolist(), tape.id.tolist(), tape.slot.tolist()) == ([True, False], [7, 8], [0, 0])


def test_a_parquet_file_says_the_same_as_a_csv_file(tmp_path: Path) -> None:
    text = written(tmp_path, HEADER + ROWS, "a.csv")
    columns = {
        "timestamp": pa.array([1_000_000, 1_001_000], pa.timestamp("ms", "UTC")),
        "price": [10.5, 10.25],
        "amount": [2.0, 0.5],
        "is_buyer_maker": [False, True],
        "id": pa.array([7, 8], pa.uint64()),
    }
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    one, other = read_trades(text), read_trades(tmp_path / "a.parquet")
    for name in ("ts", "price", "amount", "buy", "id", "position", "slot"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_gzip_file_is_read_and_recognised_whatever_it_is_called(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv"):
        (tmp_path / name).write_bytes(gzip.compress((HEADER + ROWS).encode()))
        assert holds_trades(tmp_path / name)
        assert read_trades(tmp_path / name).id.tolist() == [7, 8]


def test_times_are_cut_to_the_millisecond_that_they_are_in(tmp_path: Path) -> None:
    rows = "1762795433.9717445,10,1,b,1\n1762795433.972,10,1,b,2\n1762795433.9999,10,1,b,3\n"
    assert read_trades(written(tmp_path, HEADER + rows)).ts.tolist() == [1762795433971, 1762795433972, 1762795433999]


def test_what_cannot_be_read_is_no_number_and_keeps_its_text(tmp_path: Path) -> None:
    rows = "noon,10,1,buy,1\n1000,ten,1,buy,2\n1000,10,one,buy,3\n1000,10,1,both,4\n1000,10,1,sell,5\n"
    tape = read_trades(written(tmp_path, HEADER + rows))
    assert tape.ts.tolist() == [-1, *[1_000_000] * 4]
    assert np.isnan(tape.price).tolist() == [False, True, False, False, False]
    assert np.isnan(tape.amount).tolist() == [False, False, True, False, False]
    assert (tape.amount == NO_SIDE).tolist() == [False, False, False, True, False]
    assert [tape.raws[0](row) for row in (1, 4)] == ["noon,10,1,buy,1", "1000,10,1,both,4"]


def test_ids_may_be_texts_and_rows_without_one_are_trades_of_their_own(tmp_path: Path) -> None:
    tape = read_trades(
        written(tmp_path, HEADER + "1000,10,1,buy,a-7\n1000,10,1,buy,\n1000,10,1,buy,\n1000,10,1,buy,a-7\n")
    )
    assert (tape.id < 0).all()
    assert tape.id[0] == tape.id[3]
    assert len(set(tape.id.tolist())) == 3
    plain = read_trades(written(tmp_path, "time,price,amount,side\n1000,10,1,buy\n1000,10,1,buy\n"))
    assert plain.id.tolist() == [1, 2]
    assert plain.notes == ("no column id: each row is a trade of its own, in the order of the file",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,price,side\n1,2,buy\n", "has no column for amount (amount, qty, size, volume, quantity)"),
        ("time,price,amount\n1,2,3\n", "has no column for side (side, is_buyer_maker, isbuyermaker)"),
        ("time,price,price,amount,side\n1,2,2,3,buy\n", "has 2 columns named price: keep one of them"),
        (
            "7,10.5,2,1,2,1000,true\n",
            "has values in its first line, not the names of its columns (7, 10.5, 2, 1, 2, 1000, true)",
        ),
        (HEADER, "has no rows below its header: nothing to read"),
        (HEADER + "noon,1,1,buy,1\n", "has no readable time; its first is 'noon'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(CandleFileError, match=r".") as raised:
        read_trades(path)
    assert str(raised.value).startswith(f"{path} {message}")


@pytest.mark.parametrize("text", ["ts,open,high,low,close\n1,1,1,1,1\n", "", "\x00", "one,two\n"])
def test_other_files_hold_no_trades(tmp_path: Path, text: str) -> None:
    assert not holds_trades(written(tmp_path, text))
    assert not holds_trades(tmp_path / "gone.csv")
    assert not holds_trades(tmp_path)
