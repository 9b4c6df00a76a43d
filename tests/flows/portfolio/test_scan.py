from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.columns import Floats
from flows.portfolio.estimates import watch_of
from flows.portfolio.scan import DAY, DONE, INSTANT, NEVER, ROW, Lanes, Tally, new_lanes, new_tally, scan, settle
from flows.portfolio.trails import Trails
from schemas.config.root import Config

DAY_MS = 1000
"""A short day, so that a few rows cross several."""
CASH = 1000.0
NOTHING, RING, NONE = watch_of(Config()), np.empty((1, 3)), Trails().rows
"""Nothing is estimated, nothing trails: test_estimates.py and test_exits.py are about that."""


class Tick(NamedTuple):
    """A row: instant, symbol's slot, high, low, close. Whole numbers, so that every sum is exact."""

    ts: int
    slot: int
    high: int
    low: int
    close: int


class Lane(NamedTuple):
    net: int = 0
    size: int = 0
    down: float = -np.inf
    up: float = np.inf
    wake: int = 0
    due: int = NEVER


@dataclass
class Walk:
    """A walk over rows that decides nothing: where it stopped, and which intervals ended."""

    lanes: Lanes
    tally: Tally
    interval: int
    waiting: list[int]  # instants with signals
    stops: list[tuple[int, int]] = field(default_factory=list)
    ended: list[list[float]] = field(default_factory=list)
    walked: int = 0

    def over(self, rows: list[Tick]) -> None:
        slot = np.array([row.slot for row in rows], np.int32)
        ts = np.array([row.ts for row in rows], np.int64)
        high, low, close = (np.array([row[i] for row in rows], np.float64) for i in (2, 3, 4))
        out: Floats = np.empty((len(rows) + 2, 9))
        self.tally["rows_out"] = 0
        row = 0
        while True:
            due = self.waiting[0] if self.waiting else NEVER
            row, why = scan(
                row, slot, ts, high, low, close, due, self.lanes, self.tally, self.interval, out, NOTHING, RING, NONE
            )
            if why == DONE:
                break
            self.stops.append((self.walked + row, why))
            if why == INSTANT:
                self.waiting.pop(0)
            if why == DAY:
                self.tally["day_end"] = -(-int(ts[row]) // DAY_MS) * DAY_MS
        self.walked += len(rows)
        self.ended.extend(out[: int(self.tally["rows_out"][0])].tolist())


def walk_of(lanes: list[Lane], marks: list[int], interval: int, waiting: list[int]) -> Walk:
    made: Any = new_lanes(len(lanes))
    made["mark"] = marks
    for slot, lane in enumerate(lanes):
        for name, value in lane._asdict().items():
            made[name][slot] = value
    tally = new_tally(CASH)
    tally["equity"] += sum(lane.net * mark for lane, mark in zip(lanes, marks, strict=True))
    tally["gross"] = sum(lane.size * mark for lane, mark in zip(lanes, marks, strict=True))
    return Walk(made, tally, interval, waiting)


@dataclass
class Naive:
    """The same in plain Python, every figure from its definition."""

    lanes: list[Lane]
    marks: list[int]
    rows: list[Tick]
    interval: int
    waiting: list[int]

    def __post_init__(self) -> None:
        marks = list(self.marks)
        self.ts: list[int] = []
        self.equity: list[float] = []
        self.gross: list[float] = []
        for t, rows in groupby(self.rows, lambda row: row.ts):
            for row in rows:
                marks[row.slot] = row.close
            pairs = list(zip(self.lanes, marks, strict=True))
            self.ts.append(t)
            self.equity.append(CASH + sum(lane.net * mark for lane, mark in pairs))
            self.gross.append(sum(lane.size * mark for lane, mark in pairs))
        self.peaks = [max([CASH, *self.equity[: n + 1]]) for n in range(len(self.ts))]
        self.falls = [(peak - equity) / peak for peak, equity in zip(self.peaks, self.equity, strict=True)]

    def stops(self) -> list[tuple[int, int]]:
        found = []
        day_end = 0
        for n, row in enumerate(self.rows):
            if row.ts > day_end:
                found.append((n, DAY))
                day_end = -(-row.ts // DAY_MS) * DAY_MS
            lane = self.lanes[row.slot]
            if lane.wake or row.low <= lane.down or row.high >= lane.up:
                found.append((n, ROW))
            last = n + 1 == len(self.rows) or self.rows[n + 1].ts != row.ts
            if last and row.ts in self.waiting:
                found.append((n + 1, INSTANT))
        return found

    def intervals(self) -> list[list[float]]:
        """All of them; the last one has not ended."""
        found = []
        for end, group in groupby(range(len(self.ts)), lambda n: -(-self.ts[n] // self.interval) * self.interval):
            at = list(group)
            equity = [self.equity[n] for n in at]
            exposed = sum(self.gross[n] > 0 for n in at)
            fall = 100.0 * max(self.falls[n] for n in at)
            last = at[-1]
            row = [end, equity[-1], min(equity), max(equity), CASH, self.gross[last], fall, exposed, len(at)]
            found.append([float(value) for value in row])
        return found

    def drawdown(self) -> dict[str, float]:
        """The deepest fall below the running peak, the first of them when there are several."""
        deepest = max(self.falls)
        if deepest <= 0:
            return {"fall": 0.0, "fall_abs": 0.0, "fall_valley_ts": 0, "fall_end_ts": 0}
        valley = self.falls.index(deepest)
        peak = self.peaks[valley]
        reached = [n for n in range(valley) if self.equity[n] == peak]
        back = [n for n in range(valley + 1, len(self.ts)) if self.equity[n] >= peak]
        return {
            "fall": deepest,
            "fall_abs": peak - self.equity[valley],
            "fall_peak": peak,
            "fall_peak_ts": self.ts[reached[-1]] if reached else self.ts[0],
            "fall_valley_ts": self.ts[valley],
            "fall_end_ts": self.ts[back[0]] if back else 0,
        }


PRICE = st.integers(80, 120)
LEVELS = st.one_of(st.just((-np.inf, np.inf)), st.tuples(st.integers(70, 95), st.integers(105, 130)))


@st.composite
def markets(draw: st.DrawFn) -> Naive:
    count = draw(st.integers(1, 3))
    lanes = []
    for _ in range(count):
        net, extra, (down, up) = draw(st.integers(-3, 3)), draw(st.sampled_from([0, 2])), draw(LEVELS)
        lanes.append(Lane(net, abs(net) + extra, down, up, draw(st.integers(0, 1)) * draw(st.integers(0, 1))))
    rows: list[Tick] = []
    t = draw(st.integers(1, 2000))
    for _ in range(draw(st.integers(1, 25))):
        for slot in sorted(draw(st.sets(st.integers(0, count - 1), min_size=1))):
            close, up, down = draw(PRICE), draw(st.integers(0, 10)), draw(st.integers(0, 10))
            rows.append(Tick(t, slot, close + up, close - down, close))
        t += draw(st.sampled_from([1, 10, 100, 1500]))
    waiting = sorted(draw(st.sets(st.sampled_from([row.ts for row in rows]), max_size=5)))
    return Naive(lanes, [100] * count, rows, draw(st.sampled_from([7, 100, 1000])), waiting)


@settings(deadline=None)
@given(markets(), st.data())
def test_it_agrees_with_plain_python_on_every_figure_however_the_rows_are_cut(
    naive: Naive, data: st.DataObject
) -> None:
    walk = walk_of(naive.lanes, naive.marks, naive.interval, list(naive.waiting))
    # Only between instants: a block holds complete ones.
    edges = [n for n in range(1, len(naive.rows)) if naive.rows[n].ts != naive.rows[n - 1].ts]
    cuts = sorted(data.draw(st.sets(st.sampled_from(edges), max_size=4))) if edges else []
    for start, end in zip([0, *cuts], [*cuts, len(naive.rows)], strict=True):
        walk.over(naive.rows[start:end])
    y = walk.tally[0]
    assert walk.stops == naive.stops()
    *ended, last = naive.intervals()
    assert walk.ended == ended
    names = ("b_end", "b_equity", "b_low", "b_high", "b_cash", "b_gross", "b_fall", "b_exposed", "b_instants")
    assert [100.0 * y[name] if name == "b_fall" else y[name] for name in names] == last
    assert {name: y[name] for name in naive.drawdown()} == naive.drawdown()
    assert (y["now"], y["first_ts"], y["instants"]) == (naive.ts[-1], naive.ts[0], len(naive.ts))
    assert y["exposed"] == sum(gross > 0 for gross in naive.gross)
    assert (y["equity"], y["gross"], y["cash"]) == (naive.equity[-1], naive.gross[-1], CASH)
    assert y["peak"] == max([CASH, *naive.equity])


def ticks(*closes: int, step: int = 10) -> list[Tick]:
    """One symbol, flat candles."""
    return [Tick(step * n, 0, close, close, close) for n, close in enumerate(closes, 1)]


@pytest.mark.parametrize(
    ("closes", "peak_ts", "valley_ts", "end_ts", "depth"),
    [
        ((100, 110, 99, 104, 110, 105), 20, 30, 50, 11.0),
        ((100, 110, 99, 104, 109), 20, 30, 0, 11.0),
        ((100, 110, 110, 99, 111, 90), 50, 60, 0, 21.0),
        ((90, 95, 100, 100), 10, 10, 30, 10.0),
        ((100, 101, 102), 0, 0, 0, 0.0),
    ],
    ids=["recovered", "not yet", "a deeper one later", "from the start", "none"],
)
def test_the_deepest_fall_has_its_peak_its_valley_and_its_recovery(
    closes: tuple[int, ...], peak_ts: int, valley_ts: int, end_ts: int, depth: float
) -> None:
    walk = walk_of([Lane(1, 1)], [100], 1000, [])
    walk.tally["cash"], walk.tally["equity"], walk.tally["peak"] = 0.0, 100.0, 100.0  # all of it in one unit
    walk.over(ticks(*closes))
    y = walk.tally[0]
    assert (y["fall_abs"], y["fall_peak_ts"], y["fall_valley_ts"], y["fall_end_ts"]) == (
        depth,
        peak_ts,
        valley_ts,
        end_ts,
    )


@pytest.mark.parametrize(
    ("lane", "stops"),
    [
        (Lane(), []),
        (Lane(down=97.0), [1]),
        (Lane(down=97.5), [1]),
        (Lane(down=96.99), []),
        (Lane(up=104.0), [2]),
        (Lane(up=103.0), [2]),
        (Lane(up=104.01), []),
        (Lane(wake=1), [0, 1, 2]),
        (Lane(due=12), [1, 2]),
    ],
)
def test_it_stops_at_a_candle_that_reaches_a_level_or_for_which_an_order_waits(lane: Lane, stops: list[int]) -> None:
    rows = [Tick(10, 0, 101, 99, 100), Tick(20, 0, 101, 97, 100), Tick(30, 0, 104, 99, 100)]
    walk = walk_of([lane], [100], 1000, [])
    walk.over(rows)
    assert [row for row, why in walk.stops if why == ROW] == stops


def test_a_row_at_which_it_stopped_is_marked_when_it_is_called_again() -> None:
    walk = walk_of([Lane(2, 2, down=97.0)], [100], 1000, [])
    walk.over([Tick(10, 0, 101, 90, 95)])
    assert (walk.stops, walk.tally["equity"][0]) == ([(0, DAY), (0, ROW)], CASH + 2 * 95)


def test_the_day_begins_after_the_instant_at_its_very_end() -> None:
    walk = walk_of([Lane()], [100], 1000, [])
    walk.over([Tick(t, 0, 100, 100, 100) for t in (999, 1000, 1001, 4500)])
    assert walk.stops == [(0, DAY), (2, DAY), (3, DAY)]


def test_settling_moves_equity_by_cash_and_by_what_the_change_of_the_position_is_worth() -> None:
    lanes, tally = new_lanes(1), new_tally(1_000.0)
    lanes["mark"], lanes["wake"] = 50.0, 1
    settle(lanes, tally, 0, 2.0, 2.0, 45.0, 60.0, 0, 70_000, 3, 899.0)  # bought 2 at 50 and paid a fee of 1
    assert (tally["cash"][0], tally["equity"][0], tally["gross"][0]) == (899.0, 999.0, 100.0)
    assert lanes[0].item()[:8] == (2.0, 2.0, 50.0, 45.0, 60.0, 0, 70_000, 3)
