"""Figures as people read them: on the terminal and in the report alike."""

from __future__ import annotations

from datetime import UTC, datetime

NONE = "–"
_LENGTHS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def amount(value: float | None, digits: int = 2) -> str:
    """Money, or another plain number, with thousands parted.

    >>> amount(-1234.5), amount(-0.001), amount(None)
    ('-1,234.50', '0.00', '–')
    """
    return NONE if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"  # + 0.0: no minus before a zero


def number(value: float | None) -> str:
    """A ratio, to four figures or so.

    >>> number(1.2345), number(-0.00123), number(12345.6), number(0.0)
    ('1.23', '-0.00123', '12,346', '0.00')
    """
    if value is None:
        return NONE
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if size >= 0.1 or size == 0 else f"{value:.3g}"


def percent_text(value: float | None, digits: int = 2) -> str:
    """Percent.

    >>> percent_text(12.345), percent_text(123456.7)
    ('12.35 %', '123,457 %')
    """
    if value is None:
        return NONE
    return f"{value:,.0f} %" if abs(value) >= 10_000 else f"{value:.{digits}f} %"


def length(seconds: float | None) -> str:
    """A stretch of time in its two largest units.

    >>> length(93_784), length(90), length(0), length(None)
    ('1 d 2 h', '1 min 30 s', '0 s', '–')
    """
    if seconds is None:
        return NONE
    left = round(seconds)
    parts: list[str] = []
    for name, size in _LENGTHS:
        count, left = divmod(left, size)
        if parts or count:
            parts.append(f"{count} {name}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(filter(None, parts)) or "0 s"


def time_text(ts: int | None) -> str:
    """A time, ms, to the minute in UTC.

    >>> time_text(1640995260000)
    '2022-01-01 00:01'
    """
    return NONE if ts is None else datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M")
