"""Candle files: CSV, CSV.gz, Feather and Parquet, read into columns of one symbol."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from connectors.cells import UNREADABLE, Floats, Ints, to_floats, to_times
from connectors.errors import CandleFileError, about
from connectors.naming import NamedSeries, from_name
from connectors.spacing import timeframe_of
from connectors.tables import SEED, SIMULATED, RawRows, Table, read_bytes, read_table

__all__ = ["CandleFileError", "CandleSeries", "read_candles"]


@dataclass(frozen=True, slots=True, eq=False)
class CandleSeries:
    """The rows of one candle file, as columns of one length, in the order of the file (see ``notes`` if reversed).

    Nothing has been checked but that cells are numbers: a cell that could not be read is NaN, a time that could not
    be read is -1, and such a row is for the reader of the columns to refuse, with :meth:`raw`.
    The arrays are contiguous and writable.

    - ``ts``: close time, epoch ms UTC, int64.
    - ``open``, ``high``, ``low``, ``close``: float64, in the quote currency. ``volume``: float64, in the file's unit.
    - ``quote``: bid and ask as known at the close, a column each, NaN where a cell is empty; None without such columns.
    - ``sha256``: of the file's bytes, in hexadecimal.
    - ``notes``: what a user should know about how the file was understood.
    """

    path: Path
    symbol: str
    timeframe_ms: int
    sha256: str
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    notes: tuple[str, ...]
    rows: RawRows
    reversed: bool = False
    quote: Floats | None = None

    def __len__(self) -> int:
        return len(self.ts)

    def position(self, row: int) -> int:
        """The place of a row in the file, counted from 1; headers and empty lines do not count."""
        return len(self) - row if self.reversed else row + 1

    def raw(self, row: int) -> str:
        """A row as it came: the line of a CSV file, JSON of a Parquet or Feather row. Reads the file again."""
        return self.rows[self.position(row) - 1]


def read_candles(
    path: Path | str,
    *,
    symbol: str | None = None,
    file_time: Literal["open", "close"] = "open",
    timeframe_ms: int | None = None,
) -> CandleSeries:
    """Read one candle file.

    Columns go by name, in any case and order: ``ts``, ``timestamp``, ``time`` or ``date``, then ``open``, ``high``,
    ``low``, ``close``, optionally ``volume`` (zeros without), and ``bid`` with ``ask``, the quote as known at the close
    (an empty cell: not known). Times are epoch s, ms, us or ns, or ISO 8601 (UTC without a zone);
    ``file_time`` says whether they are a candle's open, as almost everywhere, or its close.

    Symbol and timeframe come from the arguments, else from a name as freqtrade gives it (``ETH_BTC-5m.feather``), else
    the symbol is the file's stem and the timeframe the commonest spacing of the rows.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "btc-perp-2022-1m.csv"
    >>> _ = file.write_text("time,open,high,low,close\\n1640995200,1,3,1,2\\n1640995260,2,2,1,oops\\n")
    >>> series = read_candles(file)
    >>> series.symbol, series.timeframe_ms, series.ts.tolist(), series.close.tolist()
    ('BTC-PERP', 60000, [1640995260000, 1640995320000], [2.0, nan])
    >>> series.position(1), series.raw(1)
    (2, '1640995260,2,2,1,oops')

    Raises CandleFileError when the file as a whole cannot be used: missing, of another format, without rows or without
    a column, without any readable time, or with rows whose spacing contradicts the timeframe.
    """
    path = Path(path)
    with about(path):
        data = read_bytes(path)
        table = read_table(path, data)
        digest = hashlib.sha256(data).hexdigest()
        named = from_name(path)
        times = _times(table)
        length = timeframe_of(times, timeframe_ms, named.timeframe_ms, named.certain)
        name, notes = _symbol(symbol, named)
        columns, quote = _numbers(table), _quotes(table)
        newest_first = is_descending(times)
        if newest_first:
            times = np.ascontiguousarray(times[::-1])
            columns = {role: np.ascontiguousarray(column[::-1]) for role, column in columns.items()}
            quote = None if quote is None else np.ascontiguousarray(quote[::-1])
            notes.append("rows were newest first: reversed")
        if file_time == "open":
            times[times != UNREADABLE] += length
    return CandleSeries(
        path=path,
        symbol=name,
        timeframe_ms=length,
        sha256=digest,
        ts=times,
        **columns,
        notes=(*notes, *_table_notes(table, named)),
        rows=RawRows(path, digest),
        reversed=newest_first,
        quote=quote,
    )


def _times(table: Table) -> Ints:
    cells = table.cells["time"]
    if not len(cells):
        raise CandleFileError("has no rows below its header: nothing to read")
    try:
        times = to_times(cells)
    except CandleFileError as wrong:
        raise CandleFileError(f"has a time column that {wrong}") from wrong
    if not (times != UNREADABLE).any():
        raise CandleFileError(
            f"has no readable time; its first is {str(cells[0].as_py())!r}: write epoch s, ms, us or ns, or ISO 8601"
        )
    return times


def _numbers(table: Table) -> dict[str, Floats]:
    columns = {}
    for role in ("open", "high", "low", "close"):
        columns[role] = _floats(table, role)
    columns["volume"] = _floats(table, "volume") if "volume" in table.cells else np.zeros(len(columns["close"]))
    return columns


def _quotes(table: Table) -> Floats | None:
    return np.column_stack([_floats(table, "bid"), _floats(table, "ask")]) if "bid" in table.cells else None


def _floats(table: Table, role: str) -> Floats:
    try:
        return to_floats(table.cells[role])
    except CandleFileError as wrong:
        raise CandleFileError(f"has a column {role} that {wrong}") from wrong


def _symbol(symbol: str | None, named: NamedSeries) -> tuple[str, list[str]]:
    name, notes = (symbol, []) if symbol else (named.symbol, [])
    if not symbol and not named.certain:
        notes = [f"symbol {name} taken from the file's name; --symbol names it"]
    if len(name) > 64:
        raise CandleFileError(f"would have a symbol of {len(name)} characters: name one of at most 64 with --symbol")
    return name, notes


def _table_notes(table: Table, named: NamedSeries) -> list[str]:
    notes = []
    if "volume" not in table.cells:
        notes.append("no column volume: volume is 0")
    if named.kind in ("mark", "index", "premiumIndex", "funding_rate"):
        notes.append(f"by its name this holds {named.kind} candles: nothing was traded at these prices")
    if table.ragged:
        where = ", ".join(map(str, table.ragged[:3])) + (", …" if len(table.ragged) > 3 else "")
        notes.append(f"{len(table.ragged)} rows with another number of fields than the header: row {where}")
    if table.metadata.get(SIMULATED) == "true":
        notes.append(f"simulated market, seed {table.metadata.get(SEED, 'unknown')}")
    return notes


def is_descending(times: Ints) -> bool:
    """Whether rows are newest first, without doubt."""
    known = times[times != UNREADABLE] if (times == UNREADABLE).any() else times
    return bool(known[0] > known[-1]) and bool((np.diff(known) < 0).all())
