"""Timeframes as ccxt writes them (``1m``, ``4h``, ``1d``), in milliseconds."""

from __future__ import annotations

import re
from functools import lru_cache

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
ANY, ANY_MS = "any", 1
"""Of candles that close whenever enough was traded: a grid of milliseconds, on which none is missing."""
_FORM = re.compile(r"([1-9][0-9]*)([smhdw])")
LONGEST_MS = 36_500 * UNITS["d"]
"""A hundred years: with it, a time of today stays one that a record can hold."""


@lru_cache(maxsize=1_024)
def to_millis(timeframe: str) -> int:
    """Length of a timeframe in milliseconds.

    >>> to_millis("5m")
    300000

    Raises ValueError for anything that is not a positive count and one of s, m, h, d, w (a month has no fixed length),
    and for more than :data:`LONGEST_MS`.
    """
    found = _FORM.fullmatch(timeframe)
    if not found:
        raise ValueError(f"{timeframe!r} is no length of time: write a count and one of s, m, h, d, w, as in 15m or 4h")
    if len(found[1]) > 15 or (millis := int(found[1]) * UNITS[found[2]]) > LONGEST_MS:
        raise ValueError(f"{timeframe[:30]} is too long: write at most 36500d")
    return millis


def step_of(timeframe: str) -> int:
    """The same, and of :data:`ANY`, the timeframe of candles that close whenever enough was traded.

    >>> step_of("5m"), step_of("any")
    (300000, 1)
    """
    return ANY_MS if timeframe == ANY else to_millis(timeframe)


def name_of(millis: int) -> str:
    """The inverse of :func:`step_of`.

    >>> name_of(300_000), name_of(1)
    ('5m', 'any')
    """
    return ANY if millis == ANY_MS else from_millis(millis)


def from_millis(millis: int) -> str:
    """The shortest name of a length in milliseconds; the inverse of :func:`to_millis`.

    >>> from_millis(3_600_000), from_millis(5_400_000)
    ('1h', '90m')
    """
    for unit in ("w", "d", "h", "m", "s"):
        if millis > 0 and millis % UNITS[unit] == 0:
            return f"{millis // UNITS[unit]}{unit}"
    raise ValueError(f"{millis} ms is not a whole number of seconds")
