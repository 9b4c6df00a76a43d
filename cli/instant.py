"""Times that a user writes."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from cli.errors import UserError

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
END_OF_CALENDAR = 253_402_300_800_000  # the year 10000, epoch ms


def millis(text: str, name: str) -> int:
    """Epoch ms of a time: ISO 8601 (UTC without an offset), epoch ms, or how long ago, as in 90m, 24h, 7d.

    >>> millis("2024-01-01T00:01", "--since"), millis("2024-01-01T01:01+01:00", "--since"), millis("60000", "--since")
    (1704067260000, 1704067260000, 60000)

    Raises UserError, with ``name``, for anything else.
    """
    if text.isdecimal() and int(text) < END_OF_CALENDAR:
        return int(text)
    if ago := re.fullmatch(r"(\d{1,6})([smhdw])", text):
        return max(0, int(time.time() * 1_000) - int(ago[1]) * UNITS[ago[2]])
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{name} {text}: write a time as 2024-01-01T00:00Z, epoch ms, or how long ago: 24h") from None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return max(0, round(when.timestamp() * 1_000))
