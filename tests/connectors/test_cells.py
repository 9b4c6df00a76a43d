from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cells import to_floats, to_times
from connectors.errors import CandleFileError

NAN = float("nan")
AT = 1_640_991_660_000  # 2021-12-31 23:01:00 UTC

# Milliseconds from 2000 to 2100: in this span the four units of epoch numbers cannot be confused.
millis = st.integers(946_684_800_000, 4_102_444_800_000)


def column(cells: list[Any], kind: Any = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, kind)])


@pytest.mark.parametrize("text", ["1", "-1", "+1.5", ".5", "5.", "1e3", "-2.5E-3", " 7 ", "\t8", "inf", "-Infinity"])
def test_text_is_read_as_python_reads_a_number(text: str) -> None:
    assert to_floats(column([text, "no"])).tolist()[0] == float(text)


@pytest.mark.parametrize("text", ["", "x", "1,5", "1 5", "0x10", "1_000", "--1", "1e", "None", "nan", None])
def test_any_other_text_is_nan_and_harms_no_other_cell(text: str | None) -> None:
    assert np.isnan(to_floats(column([text, "2"]))).tolist() == [True, False]


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_written_numbers_are_read_back_to_the_bit(numbers: list[float]) -> None:
    assert to_floats(column([repr(number) for number in numbers])).tolist() == numbers


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        ([1.5, None], pa.float64(), [1.5, NAN]),
        ([0.5, None], pa.float32(), [0.5, NAN]),
        ([3, None], pa.int64(), [3.0, NAN]),
        ([2**63], pa.uint64(), [9.223372036854775808e18]),
        ([Decimal("1.25"), None], pa.decimal128(10, 2), [1.25, NAN]),
        (["1.25", "x"], pa.dictionary(pa.int32(), pa.string()), [1.25, NAN]),
        (["1.25", "x"], pa.large_string(), [1.25, NAN]),
        ([None, None], pa.null(), [NAN, NAN]),
    ],
)
def test_every_type_of_number_becomes_float64(cells: list[Any], kind: Any, expected: list[float]) -> None:
    found = to_floats(column(cells, kind))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


def test_columns_are_contiguous_and_writable_however_they_were_stored() -> None:
    for cells in (column([1.0, 2.0]), pa.chunked_array([[1.0], [2.0]]), column(["1", "2"])):
        for array in (to_floats(cells), to_times(cells)):
            assert array.flags.c_contiguous
            assert array.flags.writeable


def test_reading_a_column_does_not_change_it() -> None:
    cells = column([1_640_991_660, 1_640_991_720])
    to_times(cells)
    assert cells.to_pylist() == [1_640_991_660, 1_640_991_720]


def test_a_column_of_another_type_is_refused() -> None:
    with pytest.raises(CandleFileError, match="holds list<item: int64>, not numbers"):
        to_floats(column([[1]]))
    with pytest.raises(CandleFileError, match="holds bool, not times"):
        to_times(column([True]))


@given(millis, st.sampled_from(["s", "ms", "us", "ns"]), st.booleans(), st.sampled_from(["integer", "float", "text"]))
def test_the_unit_of_an_epoch_number_is_told_by_its_magnitude(at: int, unit: str, known: bool, form: str) -> None:
    if unit == "s" and form != "float":
        at -= at % 1_000
    number: Any = {"s": at / 1_000 if form == "float" else at // 1_000, "ms": at, "us": at * 1_000, "ns": at * 10**6}[
        unit
    ]
    cell = {"integer": int, "float": float, "text": str}[form](number)
    other: list[Any] = [] if known else [None]
    assert to_times(column([cell, *other])).tolist() == [at, *([] if known else [-1])]


def test_units_may_change_in_the_middle_of_a_file() -> None:
    numbers = [AT, (AT + 60_000) * 1_000, AT // 1_000 + 120, (AT + 180_000) * 10**6]
    expected = [AT, AT + 60_000, AT + 120_000, AT + 180_000]
    assert to_times(column(numbers)).tolist() == expected
    assert to_times(column([float(number) for number in numbers])).tolist() == expected
    assert to_times(column([*map(str, numbers), "x"])).tolist() == [*expected, -1]


@given(millis, st.sampled_from(["s", "ms", "us", "ns"]), st.sampled_from([None, "UTC", "America/New_York"]))
def test_typed_times_of_every_unit_and_zone_are_read(at: int, unit: str, zone: str | None) -> None:
    at -= at % 1_000
    stored = column([at, None], pa.int64()).cast(pa.timestamp("ms", zone)).cast(pa.timestamp(unit, zone))
    assert to_times(stored).tolist() == [at, -1]


def test_days_are_read_as_their_midnight() -> None:
    assert to_times(column([date(2021, 12, 31), None])).tolist() == [1_640_908_800_000, -1]
    assert to_times(column(["2021-12-31", "2022-01-01"])).tolist() == [1_640_908_800_000, 1_640_995_200_000]


@pytest.mark.parametrize(
    "text",
    [
        "2021-12-31 23:01",
        "2021-12-31T23:01:00",
        "2021-12-31 23:01:00.000000",
        "2021-12-31T23:01:00.000000000",
        "2021-12-31T23:01:00Z",
        "2022-01-01T01:01:00+02:00",
        "2021-12-31 18:01:00-0500",
        " 2021-12-31 23:01:00 ",
        "20211231T230100Z",
        str(AT),
        f"{AT}.0",
        "1.64099166e9",
    ],
)
def test_text_is_read_as_iso_8601_or_a_number_alone_and_in_mixed_company(text: str) -> None:
    assert to_times(column([text])).tolist() == [AT]
    assert to_times(column(["2021-12-31 23:01:00", "never", text, "2021-12-31T23:01:00Z"])).tolist() == [AT, -1, AT, AT]


@given(millis, st.integers(-14 * 60, 14 * 60))
def test_written_iso_8601_is_read_back(at: int, offset: int) -> None:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    naive = when.replace(tzinfo=None).isoformat()
    zoned = (when + timedelta(minutes=offset)).replace(tzinfo=None).isoformat()
    hours, minutes = divmod(abs(offset), 60)
    zoned += f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"
    assert to_times(column([naive])).tolist() == [at]
    assert to_times(column([zoned])).tolist() == [at]
    assert to_times(column([naive, zoned])).tolist() == [at, at]


@pytest.mark.parametrize(
    "cell", ["", "noon", "2021-13-01", "-5", "nan", "inf", "1e300", "9" * 25, "1969-12-31 23:59:59", None]
)
def test_an_unreadable_time_is_minus_one_and_harms_no_other(cell: str | None) -> None:
    assert to_times(column([str(AT), cell])).tolist() == [AT, -1]


@pytest.mark.parametrize("cell", [-1.0, NAN, float("inf"), 1e30, None])
def test_an_unreadable_float_time_is_minus_one(cell: float | None) -> None:
    assert to_times(column([float(AT), cell])).tolist() == [AT, -1]


def test_the_largest_epoch_numbers_are_no_trap() -> None:
    assert to_times(column([2**63 - 1])).tolist() == [9_223_372_036_854]
    assert to_times(column([2**64 - 1], pa.uint64())).tolist() == [-1]


def test_days_written_as_one_number_are_refused_rather_than_taken_for_1970() -> None:
    for cells in (column([20211231, 20220101]), column(["20211231", "20220101"])):
        with pytest.raises(CandleFileError, match="days such as 20211231: write them as ISO 8601"):
            to_times(cells)
