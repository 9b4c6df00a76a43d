"""Sessions: hours of the week, UTC."""

from __future__ import annotations

import re
from typing import NamedTuple

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK = 7 * 1_440
_FORM = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? ([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])")
_EPOCH_DAY = 3  # 1970-01-01 was a Thursday


class Hours(NamedTuple):
    """From one minute of the day until another, on some weekdays (0 is Monday); over midnight when it ends first."""

    days: tuple[int, ...]
    begin: int
    end: int

    def open(self, ts: int) -> bool:
        """Whether an instant, epoch ms UTC, lies inside: the first minute does, the last one no more."""
        day, since = divmod((minute_of_week(ts) - self.begin) % WEEK, 1_440)
        return since <= (self.end - self.begin - 1) % 1_440 and day in self.days


def minute_of_week(ts: int) -> int:
    """Whole minutes since Monday, midnight UTC.

    >>> minute_of_week(0)  # a Thursday
    4320
    """
    return (ts // 60_000 + _EPOCH_DAY * 1_440) % WEEK


def parse(text: str) -> Hours:
    """The hours that a text names.

    >>> parse("mon-fri 08:00-16:30")
    Hours(days=(0, 1, 2, 3, 4), begin=480, end=990)
    >>> parse("sun 22:00-02:00").open(2 * 3_600_000 - 1 + 4 * 86_400_000)  # on Monday, just before two
    True

    Raises ValueError for anything else.
    """
    found = _FORM.fullmatch(text)
    hours = [int(part) for part in found.groups()[2:]] if found else []
    if not found or found[1] not in DAYS or (found[2] or found[1]) not in DAYS or not _in_a_day(*hours):
        raise ValueError(f"{text!r} is not a session: write days and hours in UTC, as in mon-fri 08:00-16:30")
    first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
    days = tuple((first + n) % 7 for n in range((last - first) % 7 + 1))
    return Hours(days, hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])


def _in_a_day(begin_hour: int, begin_minute: int, end_hour: int, end_minute: int) -> bool:
    """24:00 is the end of a day, and never a beginning."""
    return begin_hour < 24 and (end_hour < 24 or (end_hour, end_minute) == (24, 0)) and begin_minute < 60
