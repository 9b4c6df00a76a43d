import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.csv_table import CsvTable, data_lines, parse, unpack
from connectors.errors import CandleFileError

HEADER = b"ts,open,high,low,close,volume\n"


def closes(table: CsvTable) -> list[float | None]:
    return [None if cell is None else float(cell) for cell in table.cells["close"].to_pylist()]


def test_clean_text_becomes_typed_cells() -> None:
    table = parse(HEADER + b"60,1,2,0.5,1.5,10\n120,2,3,1.5,2.5,20\n")
    assert {role: cells.to_pylist() for role, cells in table.cells.items()} == {
        "time": [60, 120],
        "open": [1.0, 2.0],
        "high": [2.0, 3.0],
        "low": [0.5, 1.5],
        "close": [1.5, 2.5],
        "volume": [10.0, 20.0],
    }
    assert table.ragged == ()


def test_one_odd_cell_leaves_all_cells_as_text() -> None:
    table = parse(HEADER + b"60,1,2,1,1.5,10\n120,2,3,1,oops,20\n")
    assert table.cells["close"].to_pylist() == ["1.5", "oops"]
    assert table.cells["time"].to_pylist() == ["60", "120"]


@pytest.mark.parametrize("line", [b"120,2,3", b"120,2,3,1,2,20,9", b"   ", b'120,"2,3,1,2,20', b"x"])
def test_a_line_with_another_number_of_fields_is_an_empty_row(line: bytes) -> None:
    table = parse(HEADER + b"60,1,2,1,1,10\n" + line + b"\n180,1,2,1,3,10\n")
    assert closes(table) == [1.0, None, 3.0]
    assert table.cells["time"].to_pylist() == ["60", None, "180"]
    assert table.ragged == (2,)


def test_an_unpaired_quote_costs_its_own_line_only() -> None:
    text = b'ts,open,high,low,close,note\n60,1,2,1,1,fine\n120,1,2,1,2,"open\n180,1,2,1,3,end"\n240,1,2,1,4,x\n'
    assert closes(parse(text)) == [1.0, 2.0, 3.0, 4.0]


def test_quoted_fields_are_read() -> None:
    assert closes(parse(b'"ts","open","high","low","close"\n"60","1","2","1","1.5"\n')) == [1.5]
    assert closes(parse(b'ts,open,high,low,close,note\n60,1,2,1,1.5,"a, b"\n120,1,2,1,x,c\n'.replace(b"x", b"7"))) == [
        1.5,
        7,
    ]


@pytest.mark.parametrize("separator", [b",", b";", b"\t"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_separators_line_ends_and_byte_order_marks_are_known(separator: bytes, end: bytes, mark: bytes) -> None:
    text = mark + HEADER + b"60,1,2,1,1.5,10\n120,1,2,1,2.5,10\n"
    table = parse(unpack(text.replace(b",", separator).replace(b"\n", end)))
    assert closes(table) == [1.5, 2.5]
    assert table.cells["close"].type == "double"


@pytest.mark.parametrize("odd", [b"2.5", b"oops"])
def test_empty_lines_are_no_rows(odd: bytes) -> None:
    text = b"\n\n" + HEADER + b"\n60,1,2,1,1.5,10\n\n\n120,1,2,1," + odd + b",10\n\n"
    assert parse(text).cells["close"].to_pylist() in ([1.5, 2.5], ["1.5", "oops"])
    assert data_lines(text) == [b"60,1,2,1,1.5,10", b"120,1,2,1," + odd + b",10"]


def test_the_last_line_needs_no_end() -> None:
    table = parse(HEADER + b"60,1,2,1,1.5,10\n120,1,2,1,2.5,10")
    assert closes(table) == [1.5, 2.5]
    assert table.cells["close"].type == "double"


def test_a_header_alone_has_no_rows() -> None:
    for text in (HEADER, HEADER.strip()):
        assert len(parse(text).cells["time"]) == 0


def test_a_file_without_header_is_refused_with_what_stood_in_its_place() -> None:
    with pytest.raises(CandleFileError, match=r"not the names of its columns \(60, 1, 2, 1, 1\.5, 10\)"):
        parse(b"60,1,2,1,1.5,10\n120,1,2,1,1.5,10\n")


def test_bytes_that_are_not_utf_8_harm_no_number() -> None:
    text = b"ts,open,high,low,close,note\n60,1,2,1,1.5,caf\xe9\n120,1,2,1,2.5,x\n"
    assert closes(parse(text)) == [1.5, 2.5]
    assert closes(parse(text.replace(b"120,", b"\xe9,"))) == [1.5, 2.5]


def test_gzip_is_told_by_its_bytes_and_may_have_several_members() -> None:
    assert unpack(gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"
    assert unpack(b"plain") == b"plain"


@pytest.mark.parametrize("keep", [3, 15, -3])
def test_cut_off_gzip_data_is_refused(keep: int) -> None:
    with pytest.raises(CandleFileError, match="damaged gzip data"):
        unpack(gzip.compress(HEADER * 50)[:keep])


@given(st.lists(st.text("0123456789.,;\"'\n\r\t x", max_size=20), max_size=8))
def test_every_line_is_a_row_whatever_it_holds(lines: list[str]) -> None:
    text = HEADER + "\n".join(lines).encode()
    table = parse(text)
    assert {len(cells) for cells in table.cells.values()} == {len(data_lines(text))}
