import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from connectors.errors import CandleFileError
from connectors.tables import RawRows, read_bytes, read_table

TABLE = pa.table(
    {
        "note": ["a", "b"],
        "close": [1.5, float("nan")],
        "low": [1.0, 1.0],
        "date": pa.array([60_000, 120_000]).cast(pa.timestamp("ms", "UTC")),
        "high": [2.0, 2.0],
        "open": [1.0, None],
    }
).replace_schema_metadata({"origin": "here"})


def write(path: Path) -> Path:
    if path.suffix == ".parquet":
        pa.parquet.write_table(TABLE, path)
    else:
        pa.feather.write_feather(TABLE, path)
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.feather"])
def test_only_the_columns_of_candles_are_taken_each_in_its_role(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name)
    table = read_table(path, path.read_bytes())
    assert sorted(table.cells) == ["close", "high", "low", "open", "time"]
    assert table.cells["open"].to_pylist() == [1.0, None]
    assert table.cells["low"].to_pylist() == [1.0, 1.0]
    assert table.cells["time"].cast(pa.int64()).to_pylist() == [60_000, 120_000]
    assert table.metadata["origin"] == "here"


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather_is_read_in_every_compression(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.feather"
    pa.feather.write_feather(TABLE, path, compression=compression)
    assert read_table(path, path.read_bytes()).cells["high"].to_pylist() == [2.0, 2.0]


@pytest.mark.parametrize(("name", "kind"), [("a.parquet", "Parquet"), ("a.feather", r"Feather \(version 2\)")])
@pytest.mark.parametrize("data", [b"ts,open", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"ARROW1\0\0" + bytes(50)])
def test_bytes_of_another_format_are_refused(name: str, kind: str, data: bytes) -> None:
    with pytest.raises(CandleFileError, match=f"is not a {kind} file, or is damaged"):
        read_table(Path(name), data)


@pytest.mark.parametrize("name", ["a.parquet", "a.feather"])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    data = write(tmp_path / name).read_bytes()
    with pytest.raises(CandleFileError, match="or is damaged"):
        read_table(tmp_path / name, data[: len(data) * 2 // 3])


@pytest.mark.parametrize("name", ["a.parquet", "a.feather"])
def test_a_row_comes_back_whole_as_json(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name)
    rows = RawRows(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert json.loads(rows[1]) == {
        "note": "b",
        "close": "nan",
        "low": 1.0,
        "date": "1970-01-01 00:02:00+00:00",
        "high": 2.0,
        "open": None,
    }


def test_a_line_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"ts,open\r\n\r\n1, x ,\r\ncaf\xe9")
    rows = RawRows(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert [rows[0], rows[1]] == ["1, x ,", "caf\N{REPLACEMENT CHARACTER}"]


def test_a_row_of_a_file_that_has_changed_is_not_given(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ts\n1\n")
    with pytest.raises(CandleFileError, match=r"a\.csv has changed since it was read"):
        RawRows(path, "0" * 64)[0]


def test_what_is_no_candle_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    for name, message in {
        "empty.csv": "is empty",
        "folder.csv": "is a folder: name the candle files in it",
        "a.json": r"use one of \.csv, \.csv\.gz, \.feather, \.parquet",
        "missing.csv": "does not exist",
    }.items():
        with pytest.raises(CandleFileError, match=message):
            read_bytes(tmp_path / name)
