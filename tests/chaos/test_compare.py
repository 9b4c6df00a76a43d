from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.compare import Row, compare

ROWS = [Row(f"key-{n % 2}", f"id-{n}", f'{{"price": {n}}}'.encode()) for n in range(6)]
Tamper = Callable[[list[Row]], list[Row]]


def figures(found: list[Row]) -> tuple[int, int, int]:
    verdict = compare(ROWS, found)
    return len(verdict.lost), len(verdict.duplicated), len(verdict.diverged)


def test_equal_lists_have_nothing_wrong() -> None:
    verdict = compare(ROWS, list(ROWS))
    assert (verdict.expected, verdict.found, verdict.wrong) == (6, 6, ())


def test_the_order_of_different_keys_does_not_matter() -> None:
    assert figures(sorted(ROWS)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("tamper", "wrong"),
    [
        (lambda rows: rows[:3] + rows[4:], (1, 0, 0)),
        (lambda rows: rows[:-1], (1, 0, 0)),
        (lambda rows: [], (6, 0, 0)),
        (lambda rows: [*rows, rows[2]], (0, 1, 0)),
        (lambda rows: [rows[2], *rows], (0, 1, 1)),  # … and it comes too early
        (lambda rows: [*rows, *rows], (0, 6, 0)),
        (lambda rows: [*rows[:5], rows[5]._replace(value=b'{"price": 5.0}')], (0, 0, 1)),
        (lambda rows: [*rows[:5], rows[5]._replace(order="key-0")], (0, 0, 1)),
        (lambda rows: [*rows[:5], rows[5]._replace(id="another")], (1, 0, 1)),
        (lambda rows: [*rows, Row("key-0", "another", b"{}")], (0, 0, 1)),
        (lambda rows: [rows[2], rows[1], rows[0], *rows[3:]], (0, 0, 1)),
        (lambda rows: [rows[2], rows[3], rows[4], rows[5], rows[0], rows[1]], (0, 0, 2)),
    ],
)
def test_one_record_that_is_not_as_it_should_be_is_told(tamper: Tamper, wrong: tuple[int, int, int]) -> None:
    assert figures(tamper(list(ROWS))) == wrong


def test_the_same_id_twice_is_right_when_it_is_expected_twice_with_these_values() -> None:
    twice = [Row("key", "id", b"1"), Row("key", "id", b"2")]
    assert compare(twice, twice).wrong == ()
    assert compare(twice, twice[::-1]).diverged == (
        "id is b'2', not b'1' (of key)",
        "id is b'1', not b'2' (of key)",
    )


def test_what_is_told_names_the_record() -> None:
    verdict = compare(ROWS, [*ROWS[1:], ROWS[1]])
    assert verdict.wrong == (
        """lost: id-0 b'{"price": 0}'""",
        """duplicated: id-1 b'{"price": 1}'""",
    )
