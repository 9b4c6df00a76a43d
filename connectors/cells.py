"""From the cells of a file's column to numbers and times. A cell that cannot be read never stops the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.errors import CandleFileError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNREADABLE = -1
"""The time of a row whose time cannot be read."""

_MILLIS_PER = {"s": 1_000, "ms": 1}
_PER_MILLI = {"us": 1_000, "ns": 1_000_000}
# Below each bound an epoch number is in that unit: 1e11 s is the year 5138, 1e11 ms is 1973, and so on upwards.
_BOUNDS = (("s", 10**11), ("ms", 10**14), ("us", 10**17), ("ns", 2**63))
_LARGEST = 9.2e18
_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^-?(?i:inf|infinity|nan)$"


def to_floats(cells: pa.ChunkedArray) -> Floats:
    """Numbers of a column of any number or text type, float64. Empty or not a number: NaN.

    The result is contiguous and writable, so that compiled code meets one kind of array only.

    >>> to_floats(pa.chunked_array([["1.5", " 2 ", "n/a", None]])).tolist()
    [1.5, 2.0, nan, nan]

    Raises CandleFileError for a column of another type (a list, a date).
    """
    cells = _plain(cells)
    kind = cells.type
    if _is_text(kind):
        text = pc.replace_substring_regex(pc.utf8_trim_whitespace(cells), r"^\+", "")
        cells = pc.if_else(pc.match_substring_regex(text, _NUMBER), text, pa.scalar(None, text.type))
    elif not any(is_kind(kind) for is_kind in _NUMERIC):
        raise CandleFileError(f"holds {kind}, not numbers")
    if kind != pa.float64():
        cells = pc.cast(cells, pa.float64(), safe=False)
    return _own(cells.to_numpy())


def to_times(cells: pa.ChunkedArray) -> Ints:
    """Times of a column in epoch milliseconds UTC, int64; -1 where a cell cannot be read as a time after 1970.

    Numbers are epoch s, ms, us or ns, told apart by magnitude, each cell for itself (exchanges have changed the unit
    in the middle of an archive). Text is ISO 8601, or such a number. Without a zone it is UTC.

    >>> to_times(pa.chunked_array([["2021-12-31 23:01", "2022-01-01T01:02:00+02:00", "1640991780", "noon"]])).tolist()
    [1640991660000, 1640991720000, 1640991780000, -1]

    Raises CandleFileError for a column that holds no times at all: another type, or days written as 20211231.
    """
    cells = _plain(cells)
    kind = cells.type
    if pa.types.is_timestamp(kind):
        return _scaled(_own(cells.cast(pa.int64()).fill_null(UNREADABLE).to_numpy()), kind.unit)
    if pa.types.is_date(kind):
        return to_times(cells.cast(pa.timestamp("ms")))
    if pa.types.is_integer(kind):
        return _from_integers(_own(pc.cast(cells, pa.int64(), safe=False).fill_null(UNREADABLE).to_numpy()))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _from_floats(to_floats(cells))
    if _is_text(kind):
        return _from_text(cells)
    if pa.types.is_null(kind):
        return np.full(len(cells), UNREADABLE, np.int64)
    raise CandleFileError(f"holds {kind}, not times: write epoch s, ms, us or ns, or ISO 8601")


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _plain(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(cells.type):
        return cells.cast(cells.type.value_type)
    return cells.cast(pa.string()) if pa.types.is_string_view(cells.type) else cells


def _own(array: NDArray[Any]) -> NDArray[Any]:
    return array if array.flags.writeable and array.flags.c_contiguous else array.copy()


def _scaled(values: Ints, unit: str) -> Ints:
    if unit in _PER_MILLI:
        values //= _PER_MILLI[unit]
    elif unit == "s":
        values *= _MILLIS_PER[unit]
    values[values < 0] = UNREADABLE
    return values


def _from_integers(values: Ints) -> Ints:
    good = values[values >= 0]
    if not len(good):
        return np.full(len(values), UNREADABLE, np.int64)
    low, high = int(good.min()), int(good.max())
    if low >= 19_000_101 and high <= 21_001_231 and 2 * len(good) > len(values):
        raise CandleFileError(f"holds days such as {low}: write them as ISO 8601, 2021-12-31")
    if len(good) == len(values) and _unit(low) == _unit(high):
        return _scaled(values, _unit(low))
    return _by_magnitude(values)


def _unit(value: int) -> str:
    return next(unit for unit, bound in _BOUNDS if value < bound)


def _by_magnitude(values: Ints) -> Ints:
    times = np.full(len(values), UNREADABLE, np.int64)
    lower = 0
    for unit, bound in _BOUNDS:
        rows = (values >= lower) & (values < bound if unit != "ns" else values <= bound - 1)
        times[rows] = _scaled(values[rows], unit)
        lower = bound
    return times


def _from_floats(values: Floats) -> Ints:
    times = np.full(len(values), UNREADABLE, np.int64)
    lower = 0
    for unit, bound in _BOUNDS:
        rows = (values >= lower) & (values < min(bound, _LARGEST))
        factor = float(_MILLIS_PER.get(unit, 1)) / _PER_MILLI.get(unit, 1)
        times[rows] = np.floor(values[rows] * factor + 1e-3).astype(np.int64)
        lower = bound
    return times


def _from_text(cells: pa.ChunkedArray) -> Ints:
    text = pc.utf8_trim_whitespace(cells)
    for kind in (pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            return to_times(pc.cast(text, kind))
        except pa.ArrowInvalid:
            continue
    # One odd cell must not make the others slow: whole numbers are read at once, only the rest cell by cell.
    whole = pc.fill_null(pc.match_substring_regex(text, r"^\d{1,18}$|^[1-8]\d{18}$"), False)
    nothing = pa.scalar(None, text.type)
    numbers = pc.cast(pc.if_else(whole, text, nothing), pa.int64()).fill_null(UNREADABLE)
    times = _from_integers(_own(numbers.to_numpy()))
    rest = np.flatnonzero(~whole.to_numpy())
    times[rest] = [_one_time(cell) for cell in text.take(pa.array(rest)).to_pylist()]
    return times


def _one_time(text: str | None) -> int:
    if not text:
        return UNREADABLE
    try:
        try:
            return int(_from_floats(np.array([float(text)]))[0])
        except ValueError:
            when = datetime.fromisoformat(text)
            when = when if when.tzinfo else when.replace(tzinfo=UTC)
            return max((when - _EPOCH) // timedelta(milliseconds=1), UNREADABLE)
    except (ValueError, OverflowError):
        return UNREADABLE
