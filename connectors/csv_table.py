"""CSV text to columns of cells: fast when it is clean, line by line when it is not."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as arrow_csv

from connectors.arrow_memory import reader
from connectors.errors import CandleFileError
from connectors.layout import find_columns

Find = Callable[[Sequence[str]], dict[str, int]]
"""Positions of the wanted columns by role, from the names of all."""
NUMBERS = ("open", "high", "low", "close", "volume", "bid", "ask", "price", "amount")

_GZIP = b"\x1f\x8b"
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class CsvTable:
    """Cells of the columns that candles need, by role (``time``, ``open`` …), one cell for each line of data.

    ``ragged`` are the rows, counted from 1, that have another number of fields than the header: their cells are empty.
    """

    cells: dict[str, pa.ChunkedArray]
    ragged: tuple[int, ...] = ()


def unpack(data: bytes) -> bytes:
    """The text of a CSV file, which may be gzipped (told by its first bytes, not by its name).

    >>> unpack(gzip.compress(b"ts,open")), unpack(b"ts,open")
    (b'ts,open', b'ts,open')

    Raises CandleFileError when the gzip data is damaged or cut off.
    """
    if not data.startswith(_GZIP):
        return data.removeprefix(_MARK)
    try:
        return gzip.decompress(data).removeprefix(_MARK)
    except (EOFError, OSError, zlib.error) as wrong:
        raise CandleFileError(f"holds damaged gzip data ({wrong}): fetch it again") from wrong


def data_lines(text: bytes) -> list[bytes]:
    """The lines below the header, without empty ones: row ``i`` of the table is ``data_lines(text)[i]``.

    >>> data_lines(b"ts,open\\r\\n\\r\\n1,2\\n3,4")
    [b'1,2', b'3,4']
    """
    return [line for line in text.splitlines() if line][1:]


def parse(text: bytes, find: Find = find_columns) -> CsvTable:
    """The cells of a CSV text, whose first line names the columns; separated by comma, semicolon or tab.

    Clean text is parsed straight to numbers. If any cell or line resists, the whole text is cut line by line and all
    cells are kept as text, so that one bad cell costs one row.

    >>> table = parse(b"ts,open,high,low,close\\n60,1,2,1,2\\n120,1,2,1\\n180,1,2,1,x\\n")
    >>> table.cells["close"].to_pylist(), table.ragged
    (['2', None, 'x'], (2,))

    Raises CandleFileError when there is no header that names the columns.
    """
    names, separator, body = head(text)
    places = find(names)
    return _fast(text, body, separator, len(names), places) or _slow(text, separator, len(names), places)


def head(text: bytes) -> tuple[list[str], str, int]:
    """The names of the columns, what separates them, and where the rows begin."""
    line, body = _cut(text, len(text) - len(text.lstrip(b"\r\n")))
    header = line.decode("utf-8", "replace")
    separator = max(",;\t", key=header.count)
    return next(csv.reader([header], delimiter=separator), []), separator, body


def _cut(text: bytes, start: int) -> tuple[bytes, int]:
    ends = [at for at in (text.find(b"\n", start), text.find(b"\r", start)) if at >= 0]
    end = min(ends, default=len(text))
    return text[start:end], min(end + 1, len(text))


def _fast(text: bytes, body: int, separator: str, width: int, places: dict[str, int]) -> CsvTable | None:
    names = [str(index) for index in range(width)]
    roles = {names[place]: role for role, place in places.items()}
    try:
        table = arrow_csv.read_csv(
            reader(text, body),
            read_options=arrow_csv.ReadOptions(column_names=names),
            parse_options=arrow_csv.ParseOptions(delimiter=separator),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(roles),
                column_types={name: pa.float64() for name, role in roles.items() if role in NUMBERS},
            ),
        )
    except pa.ArrowInvalid:
        return None
    # An unpaired quote makes the parser swallow line ends; each line must have become a row.
    if table.num_rows != _count_lines(text, body):
        return None
    return CsvTable({role: table[name] for name, role in roles.items()})


def _count_lines(text: bytes, body: int) -> int:
    if b"\r" in text or b"\n\n" in text:
        return len(data_lines(text))
    return text.count(b"\n", body) + (len(text) > body and not text.endswith(b"\n"))


def _slow(text: bytes, separator: str, width: int, places: dict[str, int]) -> CsvTable:
    columns: dict[str, list[str | None]] = {role: [] for role in places}
    ragged = []
    for number, line in enumerate(data_lines(text), 1):
        fields = _fields(line.decode("utf-8", "replace"), separator)
        if len(fields) != width:
            ragged.append(number)
            fields = [None] * width
        for role, place in places.items():
            columns[role].append(fields[place])
    return CsvTable(
        {role: pa.chunked_array([pa.array(cells, pa.string())]) for role, cells in columns.items()}, tuple(ragged)
    )


def _fields(line: str, separator: str) -> list[str | None]:
    if '"' not in line:
        return [*line.split(separator)]
    try:
        return list(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return []
