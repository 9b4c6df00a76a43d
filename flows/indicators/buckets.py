"""Buckets of time, aligned to UTC as exchanges align their candles."""

from __future__ import annotations

from flows.kernel import kernel
from schemas.timeframe import UNITS, to_millis

# 1970-01-01 was a Thursday; exchanges start weekly candles on Monday.
_MONDAY = 4 * UNITS["d"]


def bucket(timeframe: str) -> tuple[int, int]:
    """Length of a timeframe's buckets, and one of their boundaries, in milliseconds.

    Buckets start at the epoch, those of weeks on Mondays. Raises ValueError for what is not a timeframe.

    >>> bucket("1h"), bucket("1w")
    ((3600000, 0), (604800000, 345600000))
    """
    return to_millis(timeframe), _MONDAY if timeframe.endswith("w") else 0


@kernel
def bucket_end(ts: int, length: int, boundary: int) -> int:
    """End of the bucket that a candle closing at ``ts`` lies in; a close on a boundary ends its own bucket."""
    return -((boundary - ts) // length) * length + boundary
