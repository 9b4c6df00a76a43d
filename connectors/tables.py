"""A file's bytes to the cells of its columns, for every format; and each row again as it came."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from connectors.arrow_memory import reader
from connectors.csv_table import Find, data_lines, head, parse, unpack
from connectors.errors import CandleFileError, about
from connectors.layout import find_columns
from connectors.naming import ENDINGS, split_ending

HEADER = 65_536
SIMULATED, SEED = "penstock.simulated", "penstock.seed"
"""Labels inside a Parquet file of the simulated market: ``true``, and its seed."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by role (``time``, ``open``, ``high``, ``low``, ``close``, perhaps ``volume`` …) in the order of the file.

    ``metadata`` are the labels that a Parquet or Feather file carries. ``ragged`` are rows of a CSV file, counted
    from 1, with another number of fields than the header.
    """

    cells: dict[str, pa.ChunkedArray]
    metadata: dict[str, str] = field(default_factory=dict)
    ragged: tuple[int, ...] = ()


def read_bytes(path: Path) -> bytes:
    """The bytes of a candle file. Raises CandleFileError when it is no readable file, empty, or of another ending."""
    if path.is_dir():
        raise CandleFileError("is a folder: name the candle files in it")
    if not split_ending(path)[1]:
        raise CandleFileError(f"is not a candle file by its ending: use one of {', '.join(ENDINGS)}")
    try:
        data = path.read_bytes()
    except FileNotFoundError as wrong:
        raise CandleFileError("does not exist: check the path") from wrong
    except OSError as wrong:
        raise CandleFileError(f"cannot be read: {wrong.strerror}") from wrong
    if not data:
        raise CandleFileError("is empty: it needs a header and rows")
    return data


def header(path: Path) -> list[str]:
    """The names of a file's columns, without reading all of it. Raises CandleFileError or OSError."""
    ending = split_ending(path)[1]
    if ending in (".csv", ".csv.gz"):
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            return head(file.read(HEADER).removeprefix(b"\xef\xbb\xbf"))[0]
    if ending == ".parquet":
        return list(pyarrow.parquet.read_schema(path).names)
    if ending == ".feather":
        return list(pyarrow.ipc.open_file(pa.memory_map(str(path))).schema.names)
    raise CandleFileError("is of another kind")


def read_table(path: Path, data: bytes, find: Find = find_columns) -> Table:
    """The cells of a file's columns. Raises CandleFileError when the bytes are not what the ending says."""
    ending = split_ending(path)[1]
    if ending in (".csv", ".csv.gz"):
        parsed = parse(unpack(data), find)
        return Table(parsed.cells, ragged=parsed.ragged)
    try:
        return _read_parquet(data, find) if ending == ".parquet" else _read_feather(data, find)
    except (pa.ArrowException, OSError) as wrong:
        kind = "Parquet" if ending == ".parquet" else "Feather (version 2)"
        reason = str(wrong).split("\n")[0]
        raise CandleFileError(f"is not a {kind} file, or is damaged ({reason}): write it again") from wrong


def _read_parquet(data: bytes, find: Find) -> Table:
    with pyarrow.parquet.ParquetFile(reader(data)) as file:
        schema = file.schema_arrow
        places = find(schema.names)
        table = file.read(columns=[schema.names[place] for place in places.values()])
    return Table({role: table[schema.names[place]] for role, place in places.items()}, _labels(schema))


def _read_feather(data: bytes, find: Find) -> Table:
    schema = pa.ipc.open_file(reader(data)).schema
    places = find(schema.names)
    options = pa.ipc.IpcReadOptions(included_fields=sorted(places.values()))
    table = pa.ipc.open_file(reader(data), options=options).read_all()
    return Table({role: table[schema.names[place]] for role, place in places.items()}, _labels(schema))


def _labels(schema: Any) -> dict[str, str]:
    return {
        key.decode("utf-8", "replace"): text.decode("utf-8", "replace") for key, text in (schema.metadata or {}).items()
    }


class RawRows:
    """Rows of a file as they came, for dead letters. The file is read again on first use, and only then kept.

    ``row`` counts the file's rows from 0.
    """

    __slots__ = ("_path", "_rows", "_sha256")

    def __init__(self, path: Path, sha256: str) -> None:
        self._path, self._sha256 = path, sha256
        self._rows: list[bytes] | pa.Table | None = None

    def __getitem__(self, row: int) -> str:
        """The line of a CSV file, or the row of a Parquet or Feather file as JSON.

        Raises CandleFileError when the file has changed since it was read.
        """
        if self._rows is None:
            with about(self._path):
                self._rows = self._load()
        if isinstance(self._rows, list):
            return self._rows[row].decode("utf-8", "replace")
        cells = self._rows.slice(row, 1).to_pylist()[0]
        return json.dumps({name: _plain(cell) for name, cell in cells.items()}, default=str, ensure_ascii=False)

    def _load(self) -> list[bytes] | pa.Table:
        data = read_bytes(self._path)
        if hashlib.sha256(data).hexdigest() != self._sha256:
            raise CandleFileError("has changed since it was read: start again")
        ending = split_ending(self._path)[1]
        if ending in (".csv", ".csv.gz"):
            return data_lines(unpack(data))
        if ending == ".parquet":
            return pyarrow.parquet.ParquetFile(reader(data)).read()
        return pa.ipc.open_file(reader(data)).read_all()


def _plain(cell: Any) -> Any:
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell
