"""Which column of a file is which."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.errors import CandleFileError

TIME_NAMES = ("ts", "timestamp", "time", "date")
PRICES = ("open", "high", "low", "close")


def find_columns(names: Sequence[str]) -> dict[str, int]:
    """Positions of ``time``, ``open``, ``high``, ``low``, ``close`` and, when there is one, ``volume``.

    Case and surrounding blanks do not matter. Of several time columns the first of :data:`TIME_NAMES` counts.

    >>> find_columns(["Date", "Open", "High", "Low", "Close", "symbol"])
    {'time': 0, 'open': 1, 'high': 2, 'low': 3, 'close': 4}

    Raises CandleFileError, with the columns found, when one is missing or is there twice.
    """
    plain = [name.strip().lower() for name in names]
    found = {}
    time = next((name for name in TIME_NAMES if name in plain), None)
    wanted = {"time": time} | {name: name for name in PRICES if name in plain}
    missing = [name for name in PRICES if name not in plain]
    if time is None or missing:
        lacks = ([] if time else [f"time ({', '.join(TIME_NAMES)})"]) + missing
        shown = ", ".join(name[:40] for name in names[:20]) or "none"
        raise CandleFileError(
            f"has no column for {', '.join(lacks)}; columns found: {shown}. Name them, in the first line of a CSV, "
            "as: ts (or timestamp, time, date), open, high, low, close, volume"
        )
    if "volume" in plain:
        wanted["volume"] = "volume"
    for role, name in wanted.items():
        if plain.count(str(name)) > 1:
            raise CandleFileError(f"has {plain.count(str(name))} columns named {name}: keep one of them")
        found[role] = plain.index(str(name))
    return found
