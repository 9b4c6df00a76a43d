import gzip
import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.candle_file import CandleFileError, CandleSeries, read_candles

DATA = Path(__file__).resolve().parents[2].parent / "shared/data"
REAL = DATA / "candles/btc-perp-20211231-20220201-1m.csv.gz"
START = 1_640_991_660_000
MINUTE = 60_000
NAMES = ("open", "high", "low", "close", "volume")
needs_real = pytest.mark.skipif(not REAL.exists(), reason=f"no real candles at {REAL}")

Form = Literal["csv", "csv.gz", "feather", "parquet"]
Time = Literal["s", "ms", "us", "ns", "float s", "iso", "iso zoned", "typed s", "typed ms", "typed us", "typed ns"]


def time_cells(ts: np.ndarray[Any, Any], form: Time) -> pa.Array:
    if form.startswith("typed"):
        return pa.array(ts).cast(pa.timestamp("ms", "UTC")).cast(pa.timestamp(form.split()[1], "UTC"))
    if form.startswith("iso"):
        text = np.datetime_as_string(ts.astype("datetime64[ms]"))
        return pa.array([f"{one}Z" if form == "iso zoned" else one.replace("T", " ") for one in text])
    if form == "float s":
        return pa.array(ts / 1_000)
    return pa.array(ts * {"s": 1, "ms": 1, "us": 1_000, "ns": 1_000_000}[form] // (1_000 if form == "s" else 1))


def write(path: Path, table: pa.Table) -> Path:
    if path.name.endswith(".parquet"):
        pa.parquet.write_table(table, path)
    elif path.name.endswith(".feather"):
        pa.feather.write_feather(table, path)
    else:
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        cells = [[str(cell) if not isinstance(cell, float) else repr(cell) for cell in row] for row in rows]
        text = "\n".join(",".join(line) for line in [table.column_names, *cells]).encode()
        path.write_bytes(gzip.compress(text) if path.name.endswith(".gz") else text)
    return path


def csv(path: Path, *lines: str, header: str = "ts,open,high,low,close,volume") -> Path:
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def minutes(path: Path, *numbers: int) -> Path:
    return csv(path, *(f"{(START + number * MINUTE) // 1000},{number},9,0.5,{number},1" for number in numbers))


def columns(series: CandleSeries) -> dict[str, list[float]]:
    return {name: getattr(series, name).tolist() for name in NAMES}


prices = st.floats(min_value=1e-8, max_value=1e8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.tuples(prices, prices, prices, prices, prices), min_size=2, max_size=8),
    form=st.sampled_from(["csv", "csv.gz", "feather", "parquet"]),
    time=st.sampled_from(
        ["s", "ms", "us", "ns", "float s", "iso", "iso zoned", "typed s", "typed ms", "typed us", "typed ns"]
    ),
    minute=st.sampled_from([1, 5, 60, 1440]),
    column=st.sampled_from(["ts", "timestamp", "Time", "DATE"]),
)
def test_what_is_written_in_any_format_and_time_is_read_back(
    tmp_path: Path, rows: list[tuple[float, ...]], form: Form, time: Time, minute: int, column: str
) -> None:
    ts = START + np.arange(len(rows), dtype=np.int64) * minute * MINUTE
    table = pa.table({column: time_cells(ts, time)} | dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True)))
    path = write(tmp_path / f"btc.{form}", table)
    series = read_candles(path, symbol="BTC/USDT")
    assert series.timeframe_ms == minute * MINUTE
    assert series.ts.tolist() == (ts + minute * MINUTE).tolist()
    assert columns(series) == {name: table[name].to_pylist() for name in NAMES}
    assert series.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert series.notes == ()


@needs_real
def test_the_real_candles_are_all_there_one_a_minute() -> None:
    series = read_candles(REAL)
    assert len(series) == 45_031
    assert (series.symbol, series.timeframe_ms) == ("BTC-PERP", MINUTE)
    assert (np.diff(series.ts) == MINUTE).all()
    assert series.ts[[0, -1]].tolist() == [1_640_991_720_000, 1_643_693_520_000]  # closes of 23:01 and of 05:31
    assert {name: values[0] for name, values in columns(series).items()} == {
        "open": 46319.0,
        "high": 46385.0,
        "low": 46319.0,
        "close": 46377.0,
        "volume": 2300413.7295,
    }
    assert all(np.isfinite(getattr(series, name)).all() for name in NAMES)
    assert series.notes == ("symbol BTC-PERP taken from the file's name; --symbol names it",)
    assert series.raw(45_030) == "2022-02-01 05:31:00.000000,38525.0,38546.0,38525.0,38544.0,685906.9735"


@needs_real
@pytest.mark.parametrize("form", ["csv", "feather", "parquet"])
def test_the_real_candles_are_the_same_in_every_format(tmp_path: Path, form: str) -> None:
    series = read_candles(REAL)
    table = pa.table({"ts": series.ts - MINUTE} | {name: getattr(series, name) for name in NAMES})
    again = read_candles(write(tmp_path / f"BTC_USDT-1m.{form}", table))
    for name in ("ts", *NAMES):
        np.testing.assert_array_equal(getattr(again, name), getattr(series, name))


def test_the_time_of_a_file_may_be_the_close(tmp_path: Path) -> None:
    path = minutes(tmp_path / "a.csv", 0, 1)
    assert read_candles(path, file_time="open").ts.tolist() == [START + MINUTE, START + 2 * MINUTE]
    assert read_candles(path, file_time="close").ts.tolist() == [START, START + MINUTE]


def test_a_freqtrade_name_gives_symbol_and_timeframe_without_a_note(tmp_path: Path) -> None:
    series = read_candles(minutes(tmp_path / "XRP_USDT_USDT-5m-futures.csv", 0, 5, 10))
    assert (series.symbol, series.timeframe_ms, series.notes) == ("XRP/USDT:USDT", 300_000, ())


def test_a_symbol_asked_for_wins_over_the_name(tmp_path: Path) -> None:
    series = read_candles(minutes(tmp_path / "ETH_BTC-1m.csv", 0, 1), symbol="ETH/EUR")
    assert (series.symbol, series.notes) == ("ETH/EUR", ())


def test_one_row_is_enough_when_the_name_tells_the_timeframe(tmp_path: Path) -> None:
    assert read_candles(minutes(tmp_path / "ETH_BTC-1m.csv", 3)).ts.tolist() == [START + 4 * MINUTE]


def test_rows_that_contradict_the_name_are_refused_and_the_file_named(tmp_path: Path) -> None:
    path = minutes(tmp_path / "ETH_BTC-5m.csv", 0, 1, 2)
    with pytest.raises(
        CandleFileError, match=r"ETH_BTC-5m\.csv has rows that are mostly 1m apart, but its name says 5m"
    ):
        read_candles(path)
    assert read_candles(path, timeframe_ms=MINUTE).timeframe_ms == MINUTE


def test_newest_first_is_reversed_with_a_note_and_positions_stay_those_of_the_file(tmp_path: Path) -> None:
    series = read_candles(minutes(tmp_path / "a.csv", 3, 2, 1), symbol="A")
    assert series.close.tolist() == [1.0, 2.0, 3.0]
    assert series.ts.tolist() == [START + 2 * MINUTE, START + 3 * MINUTE, START + 4 * MINUTE]
    assert series.notes == ("rows were newest first: reversed",)
    assert [series.position(row) for row in range(3)] == [3, 2, 1]
    assert series.raw(0).startswith(f"{START // 1000 + 60},1,")
    assert all(getattr(series, name).flags.c_contiguous for name in ("ts", *NAMES))


def test_newest_first_is_recognised_past_an_unreadable_time(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "1640991840,3,9,1,3,1", "?,2,9,1,2,1", "1640991720,1,9,1,1,1")
    series = read_candles(path, symbol="A", timeframe_ms=MINUTE)
    assert series.ts.tolist() == [1_640_991_780_000, -1, 1_640_991_900_000]
    assert (series.position(1), series.raw(1)) == (2, "?,2,9,1,2,1")


@pytest.mark.parametrize("order", [(0, 2, 1, 3), (3, 2, 1, 2), (2, 1, 1, 0)])
def test_other_disorder_is_kept(tmp_path: Path, order: tuple[int, ...]) -> None:
    series = read_candles(minutes(tmp_path / "a.csv", *order), symbol="A")
    assert series.close.tolist() == list(order)
    assert series.notes == ()
    assert series.position(2) == 3


def test_a_bad_cell_costs_its_cell_and_a_bad_line_its_row(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "a.csv",
        "1640991660,1,2,1,1.5,10",
        "1640991720,1,x,1,1.5,10",
        "yesterday,1,2,1,1.5,10",
        "1640991840,1,2,1",
        "1640991900,1,2,1,1.5,10,11",
        "",
        "1640991960,1,2,1,,",
        "1640992020,1,2,1,1.5,10",
    )
    series = read_candles(path, symbol="A")
    assert series.timeframe_ms == MINUTE
    assert series.ts.tolist() == [
        1_640_991_720_000,
        1_640_991_780_000,
        -1,
        -1,
        -1,
        1_640_992_020_000,
        1_640_992_080_000,
    ]
    assert np.isnan(series.high).tolist() == [False, True, False, True, True, False, False]
    assert np.isnan(series.close).tolist() == [False, False, False, True, True, True, False]
    assert np.isnan(series.volume).tolist() == [False, False, False, True, True, True, False]
    assert series.notes == ("2 rows with another number of fields than the header: row 4, 5",)
    assert [series.raw(row) for row in (1, 3, 4, 5)] == [
        "1640991720,1,x,1,1.5,10",
        "1640991840,1,2,1",
        "1640991900,1,2,1,1.5,10,11",
        "1640991960,1,2,1,,",
    ]


def test_a_bad_cell_far_down_changes_nothing_above_it(tmp_path: Path) -> None:
    clean = [f"{START // 1000 + 60 * row},{row / 7!r},{row},0.1,{row / 3!r},{row}" for row in range(40_000)]
    good = read_candles(csv(tmp_path / "good.csv", *clean), symbol="A")
    bad = read_candles(csv(tmp_path / "bad.csv", *clean, "oops,1,1,1,1,1"), symbol="A")
    for name in ("ts", *NAMES):
        np.testing.assert_array_equal(getattr(bad, name)[:-1], getattr(good, name))


def test_empty_cells_of_a_parquet_file_are_bad_cells(tmp_path: Path) -> None:
    table = pa.table(
        {
            "date": pa.array([START, None, START + MINUTE], pa.timestamp("ms", "UTC")),
            "open": ["1", "2", "three"],
            "high": pa.array([1.0, None, 3.0], pa.float32()),
            "low": [1, None, 3],
            "close": [1.0, 2.0, 3.0],
        }
    )
    series = read_candles(write(tmp_path / "a.parquet", table), symbol="A")
    assert series.ts.tolist() == [START + MINUTE, -1, START + 2 * MINUTE]
    for name, expected in {"open": [1, 2, np.nan], "high": [1, np.nan, 3], "low": [1, np.nan, 3]}.items():
        np.testing.assert_array_equal(getattr(series, name), expected)


def test_without_a_volume_column_volume_is_zero_and_said_so(tmp_path: Path) -> None:
    series = read_candles(
        csv(tmp_path / "a.csv", "60,1,2,1,1", "120,1,2,1,1", header="ts,open,high,low,close"), symbol="A"
    )
    assert series.volume.tolist() == [0.0, 0.0]
    assert series.notes == ("no column volume: volume is 0",)


HEADER = "ts,open,high,low,close,volume,bid,ask"


def test_bid_and_ask_are_read_where_they_are_and_an_empty_cell_is_not_known(tmp_path: Path) -> None:
    lines = ["120,1,2,1,1,5,,", "60,1,2,1,1,5,0.5,1.5"]
    series = read_candles(csv(tmp_path / "a.csv", *lines, header=HEADER), symbol="A")
    assert series.reversed
    assert series.quote is not None
    np.testing.assert_array_equal(series.quote, [[0.5, 1.5], [np.nan, np.nan]])
    plain = read_candles(minutes(tmp_path / "b.csv", 0, 1), symbol="A")
    assert plain.quote is None


def test_candles_that_nobody_traded_are_said_to_be_so(tmp_path: Path) -> None:
    series = read_candles(minutes(tmp_path / "BTC_USDT_USDT-1m-mark.csv", 0, 1))
    assert series.notes == ("by its name this holds mark candles: nothing was traded at these prices",)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "\n\n", "has no column for time"),
        ("a.csv", "ts,open,high,low,close\n", "has no rows below its header"),
        ("a.csv", "ts,open,high,low\n1,2,3,4\n", "has no column for close; columns found: ts, open, high, low"),
        ("a.csv", "ts,open,high,low,close\nx,1,1,1,1\ny,1,1,1,1\n", "has no readable time; its first is 'x'"),
        ("a.csv", "ts,open,high,low,close\n60,1,1,1,1\n", "fewer than two different times"),
        ("a.csv", "ts,open,high,low,close\n20211231,1,1,1,1\n20220101,1,1,1,1\n", "has a time column that holds days"),
        ("a.parquet", "PAR1", "is not a Parquet file"),
        ("a.feather", "x", r"is not a Feather \(version 2\) file"),
        ("a.xlsx", "x", "is not a candle file by its ending"),
        ("a" * 65 + ".csv", "ts,open,high,low,close\n60,1,1,1,1\n120,1,1,1,1\n", "symbol of 65 characters"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CandleFileError, match=rf"{name} .*{message}"):
        read_candles(tmp_path / name)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CandleFileError, match=r"a\.csv does not exist"):
        read_candles(tmp_path / "a.csv")
    with pytest.raises(CandleFileError, match="is a folder"):
        read_candles(tmp_path)


def test_a_column_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    table = pa.table({"ts": [1, 2], "open": [[1], [2]], "high": [1, 2], "low": [1, 2], "close": [1, 2]})
    with pytest.raises(CandleFileError, match=r"a\.parquet has a column open that holds list"):
        read_candles(write(tmp_path / "a.parquet", table), timeframe_ms=1_000)
