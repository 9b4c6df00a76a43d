"""What the market stage must compute, the plain way: row by row, without columns or batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tests.flows.market.rows import MINUTE, NAMES, Row

Out = tuple[int, int, float, float, int]  # minute, slot, close, volume, still missing


def judged_plainly(rows: Sequence[Row], lateness: int) -> list[tuple[str, int, int]]:
    """Verdict, missing and after, the plain way."""
    last: dict[int, Row] = {}
    newest, found = -1, []
    for row in rows:
        before = last.get(row.slot)
        seen = before.ts if before else -1
        if row.ts < 0:
            reason = "TIME_UNREADABLE"
        elif not all(map(math.isfinite, row.prices)):
            reason = "VALUE_NOT_FINITE"
        elif min(row.prices[:4]) <= 0:
            reason = "PRICE_NOT_POSITIVE"
        elif row.volume < 0:
            reason = "VOLUME_NEGATIVE"
        elif row.high < row.low:
            reason = "HIGH_BELOW_LOW"
        elif min(row.open, row.close) < row.low or max(row.open, row.close) > row.high:
            reason = "PRICE_OUTSIDE_RANGE"
        elif row.ts % MINUTE:
            reason = "TIME_MISALIGNED"
        elif before and row.ts == seen:
            reason = "ROW_DUPLICATE" if row.prices == before.prices else "ROW_CONFLICT"
        elif row.ts < seen:
            reason = "ROW_OUT_OF_ORDER"
        elif row.ts < newest - lateness:
            reason = "ROW_LATE"
        else:
            reason = "ACCEPTED"
            last[row.slot], newest = row, max(newest, row.ts)
        holes = (row.ts - seen) // MINUTE - 1 if reason == "ACCEPTED" and before else 0
        found.append((reason, holes, seen))
    return found


def holes(rows: Sequence[Row]) -> list[int]:
    """Candles missing before each row of a stream that has passed the checks."""
    last: dict[int, int] = {}
    found = []
    for row in rows:
        found.append((row.ts - last[row.slot]) // MINUTE - 1 if row.slot in last else 0)
        last[row.slot] = row.ts
    return found


def filled_plainly(rows: Sequence[Row], lateness: int, limit: int) -> list[Out]:
    """Each flat candle by itself: it comes right before the first row that proves it missing for good."""
    before: list[list[tuple[tuple[int, int, int], Out]]] = [[] for _ in rows]
    made: dict[int, int] = {}
    for i, row in enumerate(rows):
        following = next((k for k in range(i + 1, len(rows)) if rows[k].slot == row.slot), None)
        for number in range(1, limit + 1):
            minute = row.ts // MINUTE + number
            if following is not None and minute >= rows[following].ts // MINUTE:
                break
            proof = next(
                (k for k in range(i + 1, len(rows)) if k == following or minute < rows[k].ts // MINUTE - lateness),
                None,
            )
            if proof is None:
                break
            by_time = minute < rows[proof].ts // MINUTE - lateness
            made[i] = number
            flat = (minute, row.slot, row.close, 0.0, 0)
            before[proof].append(((0, row.slot, minute) if by_time else (1, row.slot, minute), flat))
    missing, found = holes(rows), []
    for i, row in enumerate(rows):
        found += [flat for _, flat in sorted(before[i])]
        found.append((row.ts // MINUTE, row.slot, row.close, row.volume, max(missing[i] - limit, 0)))
    return found


def thirds_plainly(rows: Sequence[Row], traps: set[tuple[int, int]]) -> tuple[list[Any], list[Any]]:
    """What EveryThird says, and where it fails, the plain way."""
    seen, out = dict.fromkeys(range(len(NAMES)), 0), set()
    signals, raised = [], []
    for row in rows:
        if row.slot in out:
            continue
        if (row.slot, row.ts) in traps:
            out.add(row.slot)
            raised.append((row.ts, NAMES[row.slot]))
            continue
        seen[row.slot] += 1
        if seen[row.slot] % 3 == 0:
            signals.append((row.ts, NAMES[row.slot]))
    return sorted(signals), sorted(raised)
