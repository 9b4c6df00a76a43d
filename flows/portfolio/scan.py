"""The compiled walk over candles between two decisions.

It marks positions, moves trailing stops, keeps equity and drawdown, and stops at the first row that matters: a candle
that fills a waiting order, touches a stop or a target, or ends the time of a position, an instant at which signals
wait, a day that begins. Plain Python decides there and calls again. So Python never walks the candles at which nothing
is decided.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.columns import Floats, Ints, Slots
from flows.kernel import kernel
from flows.portfolio.control.levels import LEVELS, NOTES, note, put_levels, reached
from flows.portfolio.estimates import ESTIMATES, estimate, sample
from flows.portfolio.trails import trail

DONE, ROW, INSTANT, DAY, BREAK = 0, 1, 2, 3, 4
"""Why the walk stopped: nothing left; a candle that matters; an instant with signals is complete; a day begins; at the
end of an instant, before its signals, a breaker's level is reached or something is due."""

NEVER = 2**62

LANE = np.dtype(
    [
        ("net", "f8"),  # signed quantity of all positions in the symbol
        ("size", "f8"),  # sum of their absolute quantities
        ("mark", "f8"),  # last close
        ("down", "f8"),  # the candle matters when its low reaches this
        ("up", "f8"),  # … or its high this
        ("wake", "i8"),  # … or in any case: an order waits for its open
        ("due", "i8"),  # … or when it closes at this instant or later: a position's time is up
        ("trail", "i8"),  # number of the first trailing stop (flows/portfolio/trails.py), 0 when there is none
        *ESTIMATES,
        *NOTES,
    ]
)
"""What the walk has to know of one symbol."""

TALLY = np.dtype(
    [
        ("now", "i8"),  # instant being walked, -1 before the first
        ("unmarked", "i8"),  # 1 while that instant is not yet closed
        ("handled", "i8"),  # row whose fills are done, so that it is only marked
        ("day_end", "i8"),  # end of the UTC day of `now`
        ("sample_end", "i8"),  # when returns are sampled next, 0 until a row tells
        ("samples", "i8"),  # how often they were
        ("cash", "f8"),
        ("equity", "f8"),
        ("gross", "f8"),
        ("first_ts", "i8"),
        ("instants", "i8"),
        ("exposed", "i8"),
        ("peak", "f8"),
        ("peak_ts", "i8"),
        ("fall", "f8"),  # deepest fall below the running peak, as a fraction of it
        ("fall_abs", "f8"),
        ("fall_peak", "f8"),
        ("fall_peak_ts", "i8"),
        ("fall_valley_ts", "i8"),
        ("fall_end_ts", "i8"),  # when equity was back at fall_peak, 0 while it is not
        ("b_end", "i8"),  # the interval of the equity record: its end …
        ("b_instants", "i8"),
        ("b_exposed", "i8"),
        ("b_equity", "f8"),
        ("b_cash", "f8"),
        ("b_gross", "f8"),
        ("b_low", "f8"),
        ("b_high", "f8"),
        ("b_fall", "f8"),
        ("rows_out", "i8"),  # intervals that ended, in `out`
        *LEVELS,
    ]
)
"""The account's running figures, all of them functions of the instants alone."""

Lanes = NDArray[Any]
Tally = NDArray[Any]


def new_lanes(count: int) -> Lanes:
    """Symbols that have not been seen yet."""
    lanes = np.zeros(count, LANE)
    lanes["down"], lanes["up"], lanes["due"] = -np.inf, np.inf, NEVER
    for name in ("atr", "vol", "shock"):
        lanes[name] = np.nan
    return lanes


def new_tally(cash: float) -> Tally:
    """The figures of an account that has not seen an instant yet."""
    tally = np.zeros(1, TALLY)
    for name, value in (("now", -1), ("handled", -1), ("cash", cash), ("equity", cash), ("peak", cash)):
        tally[name] = value
    tally["b_low"], tally["b_high"] = np.inf, -np.inf
    put_levels(tally, cash)
    return tally


@kernel
def settle(
    lanes: Lanes,
    tally: Tally,
    slot: int,
    net: float,
    size: float,
    down: float,
    up: float,
    wake: int,
    due: int,
    trail: int,
    cash: float,
) -> None:
    """Put in what fills changed: the account's cash, a symbol's exposure, and when its candles matter."""
    lane, y = lanes[slot], tally[0]
    y.equity += (cash - y.cash) + (net - lane.net) * lane.mark
    y.gross += (size - lane.size) * lane.mark
    y.cash = cash
    lane.net, lane.size, lane.down, lane.up = net, size, down, up
    lane.wake, lane.due, lane.trail = wake, due, trail


@kernel
def _flush(y: Any, out: Floats) -> None:
    """The interval has ended: one row of `out`."""
    row = out[y.rows_out]
    row[0], row[1], row[2], row[3], row[4] = y.b_end, y.b_equity, y.b_low, y.b_high, y.b_cash
    row[5], row[6], row[7], row[8] = y.b_gross, 100.0 * y.b_fall, y.b_exposed, y.b_instants
    y.rows_out += 1
    y.b_instants, y.b_exposed, y.b_fall = 0, 0, 0.0
    y.b_low, y.b_high = np.inf, -np.inf


@kernel
def _close_instant(y: Any, interval: int, out: Floats) -> None:
    """All candles of the instant are marked and its signals decided: it enters the statistics."""
    t = y.now
    y.unmarked = 0
    if y.instants == 0:
        y.first_ts, y.peak_ts = t, t
    y.instants += 1
    end = (t + interval - 1) // interval * interval
    if end != y.b_end and y.b_instants > 0:
        _flush(y, out)
    y.b_end = end
    y.b_instants += 1
    if y.gross > 0:
        y.exposed += 1
        y.b_exposed += 1
    y.b_equity, y.b_cash, y.b_gross = y.equity, y.cash, y.gross
    y.b_low, y.b_high = min(y.b_low, y.equity), max(y.b_high, y.equity)
    if y.equity >= y.peak:
        y.peak, y.peak_ts = y.equity, t
    fall = (y.peak - y.equity) / y.peak
    y.b_fall = max(y.b_fall, fall)
    if fall > y.fall:
        y.fall, y.fall_abs, y.fall_peak, y.fall_peak_ts = fall, y.peak - y.equity, y.peak, y.peak_ts
        y.fall_valley_ts, y.fall_end_ts = t, 0
    elif y.fall_end_ts == 0 and y.fall > 0 and y.equity >= y.fall_peak:
        y.fall_end_ts = t


@kernel
def _mark(y: Any, lane: Any, close: float) -> None:
    step = close - lane.mark
    y.equity += lane.net * step
    y.gross += lane.size * step
    lane.mark = close


@kernel
def scan(
    start: int, slot: Slots, ts: Ints, high: Floats, low: Floats, close: Floats, signal_ts: int,
    lanes: Lanes, tally: Tally, interval: int, out: Floats, watch: Ints, ring: Floats, trails: Any,
) -> tuple[int, int]:  # fmt: skip
    """Walk from row ``start``; returns the row at which it stopped, and why.

    After ``ROW`` call again with the same row (it is then marked), after ``INSTANT`` and ``BREAK`` with the row
    returned (the first one after the instant), after ``DAY`` with the same row. ``signal_ts`` is the instant of the
    next signals, and ``interval`` the length of the equity records in ms, whose rows go to ``out``. ``watch`` says what
    to estimate, samples of returns go to ``ring`` (estimates.py), and ``trails`` are the trailing stops (trails.py).
    """
    y = tally[0]
    period, span, spacing = watch[0], watch[1], watch[2]
    i, count = start, len(ts)
    while True:
        if y.unmarked == 1 and (i == count or ts[i] != y.now):
            if y.sample_end == y.now:
                sample(lanes, ring, y.samples)
                y.samples += 1
                y.sample_end = 0
            if y.armed == 1 and y.looked != y.now and reached(y):
                y.looked = y.now
                return i, 4
            if y.now >= signal_ts:
                return i, 2
            _close_instant(y, interval, out)
        if i == count:
            return i, 0
        t = ts[i]
        if spacing > 0 and t > y.sample_end:
            if y.sample_end > 0:
                sample(lanes, ring, y.samples)
                y.samples += 1
            y.sample_end = (t + spacing - 1) // spacing * spacing
        if t > y.day_end:
            return i, 3
        s = slot[i]
        y.now = t
        y.unmarked = 1
        lane = lanes[s]
        if y.handled != i and (lane.wake != 0 or low[i] <= lane.down or high[i] >= lane.up or t >= lane.due):
            y.handled = i
            return i, 1
        y.handled = -1
        if period > 0 or span > 0:
            estimate(lane, high[i], low[i], close[i], period, span)
        if lane.trail > 0:
            trail(trails, lane, high[i], low[i], close[i])
        if y.armed == 1:
            note(y, lane, t)
        _mark(y, lane, close[i])
        i += 1
