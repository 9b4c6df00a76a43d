"""Streams of candles for the tests of the market stage: written by hand, or drawn with everything that can be wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from flows.columns import Candles, Ints
from schemas.batch import CandleBatch

MINUTE, DAY = 60_000, 86_400_000
NAMES = ("B/USDT", "A/USDT", "C/USDT")  # not in the order of their names: a slot says nothing about it


@dataclass(frozen=True)
class Row:
    """One row of a shard's stream; a valid one unless told otherwise. ``ts`` is the close, ms."""

    ts: int
    slot: int = 0
    open: float = 10.0
    high: float = 12.0
    low: float = 9.0
    close: float = 11.0
    volume: float = 1.0
    bid: float = math.nan
    ask: float = math.nan

    @property
    def prices(self) -> tuple[float, float, float, float, float]:
        return self.open, self.high, self.low, self.close, self.volume


def at(minute: int, slot: int = 0, **changes: Any) -> Row:
    """A row that closes at a minute."""
    return Row(minute * MINUTE, slot, **changes)


def column(rows: Sequence[Row], name: str, kind: type) -> Any:
    return np.array([getattr(row, name) for row in rows], kind)


def quotes(rows: Sequence[Row]) -> Any:
    """Bid and ask by row; None when no row has any."""
    found = np.column_stack([column(rows, "bid", np.float64), column(rows, "ask", np.float64)])
    return None if np.isnan(found).all() else found


def batch(
    rows: Sequence[Row],
    *,
    symbols: tuple[str, ...] = NAMES,
    step: int | Sequence[int] = MINUTE,
    first: int = 1,
    final: bool = False,
    **more: Any,
) -> CandleBatch:
    """Rows as a source hands them over; ``first`` is the position of the first of them."""
    return CandleBatch(
        shard="shard-0000",
        symbols=symbols,
        sources=tuple(f"{name[:1].lower()}.csv" for name in symbols),
        timeframes=np.broadcast_to(np.array(step, np.int64), (len(symbols),)).copy(),
        slot=column(rows, "slot", np.int32),
        ts=column(rows, "ts", np.int64),
        open=column(rows, "open", np.float64),
        high=column(rows, "high", np.float64),
        low=column(rows, "low", np.float64),
        close=column(rows, "close", np.float64),
        volume=column(rows, "volume", np.float64),
        quote=quotes(rows),
        position=np.arange(first, first + len(rows), dtype=np.int64),
        final=final,
        **more,
    )


def candles(rows: Sequence[Row], slots: int = len(NAMES)) -> Candles:
    """Rows that have passed the checks."""
    b = batch(rows)
    return Candles(b.slot, slots, b.ts, b.open, b.high, b.low, b.close, b.volume, b.quote)


def steps(slots: int = len(NAMES), step: int = MINUTE) -> Ints:
    return np.full(slots, step, np.int64)


def parts(rows: Sequence[Row], cuts: Sequence[int]) -> list[Sequence[Row]]:
    """The rows cut at some places; a place may come twice, and gives an empty part."""
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    return [rows[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.integers(0, 60), max_size=8)

_WRONG: dict[str, dict[str, Any]] = {
    "unreadable time": {"ts": -1},
    "not a number": {"close": float("nan")},
    "infinite": {"high": float("inf")},
    "price zero": {"low": 0.0},
    "volume negative": {"volume": -1.0},
    "high below low": {"high": 8.0},
    "close outside": {"close": 13.0},
    "conflict": {"close": 10.5},
    "ask below bid": {"bid": 11.0, "ask": 10.0},
    "half a quote": {"ask": 11.0},
}


@st.composite
def good_streams(draw: st.DrawFn, slots: int = 3, longest: int = 40, ahead: int = 1) -> list[Row]:
    """Rows that pass all checks with a lateness of ``ahead`` minutes: holes, closes that change, symbols mixed."""
    minute, newest, found = [100] * slots, 100, []
    for _ in range(draw(st.integers(0, longest))):
        slot = draw(st.integers(0, slots - 1))
        jump = draw(st.sampled_from((1, 1, 1, 1, 2, 3, 9)))
        minute[slot] = max(minute[slot] + jump, newest - ahead)
        newest = max(newest, minute[slot])
        close = draw(st.integers(9, 12))
        bid, ask = draw(st.sampled_from(((math.nan, math.nan), (10.0, 10.5), (10.5, 10.5))))
        volume = float(draw(st.integers(1, 3)))
        found.append(at(minute[slot], slot, close=float(close), volume=volume, bid=bid, ask=ask))
    return found


@st.composite
def streams(draw: st.DrawFn, slots: int = 3, longest: int = 40) -> list[Row]:
    """Rows of which many are wrong in some way: values, times, order, duplicates, days apart."""
    last = [Row(1438 * MINUTE, slot) for slot in range(slots)]  # so that midnight is near
    found = []
    for _ in range(draw(st.integers(0, longest))):
        slot = draw(st.integers(0, slots - 1))
        jump = draw(st.sampled_from((1, 1, 1, 1, 1, 2, 3, 9, 0, -1, -4, 1440)))
        row = replace(
            last[slot],
            ts=last[slot].ts + jump * MINUTE,
            close=last[slot].close if jump == 0 else float(draw(st.integers(9, 12))),
        )
        wrong = draw(st.sampled_from(("", "", "", "", "", "", "misaligned", *_WRONG)))
        if wrong == "misaligned":
            row = replace(row, ts=row.ts + 7)
        elif wrong:
            row = replace(row, **_WRONG[wrong])
        elif jump > 0:
            last[slot] = row
        found.append(row)
    return found
