"""Records that say a time which nobody can have yet: they would close the candles of all others."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.feed.hole import Record

AHEAD_MS = 60_000
"""As ``market.max_ahead`` is by default: what a feed publishes a run takes."""


def is_ahead(record: Record, ns: int) -> bool:
    """Whether a record is later than the time at which it was received (epoch ns), by more than clocks may differ."""
    return bool(record.ts > ns // 1_000_000 + AHEAD_MS)


def in_time(records: Iterable[Record], ns: int) -> tuple[list[Record], list[Record]]:
    """Those that are not, and those that are, each in their order."""
    timely: list[Record] = []
    ahead: list[Record] = []
    for record in records:
        (ahead if is_ahead(record, ns) else timely).append(record)
    return timely, ahead
