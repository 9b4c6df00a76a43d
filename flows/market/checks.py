"""The checks that every candle passes before anything is computed from it, on columns.

Each row gets a verdict, and a row that is refused changes nothing but its counter: the rows after it are judged as
if it had never come. So the verdicts do not depend on how the stream was cut into batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from flows.columns import Flags, Floats, Ints, Slots
from flows.kernel import kernel
from flows.module import Module
from schemas.batch import CandleBatch

DAY = 86_400_000


class Verdict(IntEnum):
    """Why a row was refused; the names are the reasons in dead letters."""

    ACCEPTED = 0
    TIME_UNREADABLE = 1
    VALUE_NOT_FINITE = 2
    PRICE_NOT_POSITIVE = 3
    VOLUME_NEGATIVE = 4
    HIGH_BELOW_LOW = 5
    PRICE_OUTSIDE_RANGE = 6
    TIME_MISALIGNED = 7
    ROW_DUPLICATE = 8
    ROW_CONFLICT = 9
    ROW_OUT_OF_ORDER = 10
    ROW_LATE = 11


@kernel
def _shape(ts: int, o: float, h: float, lo: float, c: float, v: float) -> int:
    """Verdict on a row by itself."""
    if ts < 0:
        return 1
    if not np.isfinite(o + h + lo + c + v):
        return 2
    if o <= 0 or h <= 0 or lo <= 0 or c <= 0:
        return 3
    if v < 0:
        return 4
    if h < lo:
        return 5
    if o > h or c > h or o < lo or c < lo:
        return 6
    return 0


@kernel
def _check(
    slot: Slots, ts: Ints, o: Floats, h: Floats, lo: Floats, c: Floats, v: Floats, step: Ints,
    last_ts: Ints, last: Floats, today: Ints, newest: Ints, lateness: int,
    verdict: Flags, missing: Ints, after: Ints, days: Ints,
) -> int:  # fmt: skip
    closed = 0
    for i in range(len(ts)):
        s = slot[i]
        t = ts[i]
        seen = last_ts[s]
        bad = _shape(t, o[i], h[i], lo[i], c[i], v[i])
        missing[i] = 0
        after[i] = seen
        if bad == 0:
            # UTC grid up to a day; weeks and longer start where the exchange starts them.
            grid = 0 if step[s] <= DAY or seen < 0 else seen
            if (step[s] <= DAY or seen >= 0) and (t - grid) % step[s] != 0:
                bad = 7
            elif t == seen:
                same = o[i] == last[s, 0] and h[i] == last[s, 1] and lo[i] == last[s, 2]
                bad = 8 if same and c[i] == last[s, 3] and v[i] == last[s, 4] else 9
            elif t < seen:
                bad = 10
            elif t < newest[0] - lateness:
                bad = 11
        verdict[i] = bad
        if bad != 0:
            today[s, 2] += 1
            continue
        day = (t - 1) // DAY + 1  # counted from 1, so that 0 is a symbol not seen yet
        if day != today[s, 0]:
            if today[s, 0] > 0:
                days[closed, 0], days[closed, 1] = s, today[s, 0] * DAY
                days[closed, 2], days[closed, 3], days[closed, 4] = today[s, 1], today[s, 2], today[s, 3]
                closed += 1
                today[s, 2] = 0
            today[s, 0] = day
            today[s, 1] = today[s, 3] = 0
        if seen >= 0 and step[s] > 1:
            missing[i] = (t - seen) // step[s] - 1
        today[s, 1] += 1
        today[s, 3] += missing[i]
        last_ts[s] = t
        last[s, 0], last[s, 1], last[s, 2], last[s, 3], last[s, 4] = o[i], h[i], lo[i], c[i], v[i]
        newest[0] = max(newest[0], t)
    return closed


@dataclass(frozen=True, slots=True)
class Checked:
    """Columns as long as the batch, and the UTC days that ended in it.

    ``missing`` counts the candles missing right before a row; ``after`` is the close time of the last accepted row of
    its symbol before it, -1 if none. ``days`` has a row for each day of a symbol: slot, end of the day in ms, and how
    many candles were accepted, refused and missing.
    """

    verdict: Flags
    missing: Ints
    after: Ints
    days: Ints


class Checks(Module):
    """Judges rows. State a symbol: its last accepted row, and the counts of its present UTC day."""

    def __init__(self, lateness_ms: int) -> None:
        self.lateness = lateness_ms
        self.last_ts = self.state(dtype=np.int64, fill=-1)
        self.last = self.state(5)
        self.today = self.state(4, dtype=np.int64)  # day, accepted, refused, missing
        self.newest = np.full(1, -1, np.int64)

    def __call__(self, batch: CandleBatch, slot: Slots, step: Ints) -> Checked:
        """Judge a batch, whose rows lie in ``slot`` here; ``step`` is the timeframe of each slot in ms."""
        self.reserve(len(step))
        count = len(batch)
        verdict, missing, after = np.empty(count, np.int8), np.empty(count, np.int64), np.empty(count, np.int64)
        days = np.empty((count, 5), np.int64)
        closed = _check(
            slot,
            batch.ts,
            batch.open,
            batch.high,
            batch.low,
            batch.close,
            batch.volume,
            step,
            self.last_ts,
            self.last,
            self.today,
            self.newest,
            self.lateness,
            verdict,
            missing,
            after,
            days,
        )
        return Checked(verdict, missing, after, days[:closed])

    def state_dict(self) -> dict[str, Any]:
        """State, with the newest instant of the shard."""
        return {**super().state_dict(), "newest": self.newest.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put it back."""
        super().load_state_dict(state)
        self.newest = state["newest"].copy()
