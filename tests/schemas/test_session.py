from __future__ import annotations

import pytest

from schemas.session import parse

SATURDAY = 1_640_995_200_000  # 2022-01-01T00:00:00Z
HOUR, MINUTE, DAY = 3_600_000, 60_000, 86_400_000


@pytest.mark.parametrize(
    ("text", "ts", "open_"),
    [
        ("sat 08:00-16:30", SATURDAY + 8 * HOUR, True),
        ("sat 08:00-16:30", SATURDAY + 8 * HOUR - 1, False),
        ("sat 08:00-16:30", SATURDAY + 16 * HOUR + 30 * MINUTE - 1, True),
        ("sat 08:00-16:30", SATURDAY + 16 * HOUR + 30 * MINUTE, False),
        ("mon-fri 00:00-24:00", SATURDAY, False),
        ("mon-fri 00:00-24:00", SATURDAY - 1, True),
        ("fri-mon 10:00-11:00", SATURDAY + 2 * DAY + 10 * HOUR, True),
        ("fri-mon 10:00-11:00", SATURDAY + 3 * DAY + 10 * HOUR, False),
        ("sun 22:00-02:00", SATURDAY + 2 * DAY + HOUR, True),
        ("sun 22:00-02:00", SATURDAY + 2 * DAY + 2 * HOUR, False),
        ("sun 22:00-02:00", SATURDAY + DAY + HOUR, False),
    ],
)
def test_hours_are_open_from_their_first_minute_and_closed_from_their_last(text: str, ts: int, open_: bool) -> None:
    assert parse(text).open(ts) is open_


@pytest.mark.parametrize("text", ["mon", "mon 8:00-9:00", "mon-fry 08:00-09:00", "mon 24:00-09:00", "mon 08:00-24:30"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="as in mon-fri 08:00-16:30"):
        parse(text)
