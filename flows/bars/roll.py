"""From the candles of a fine grid to those of several timeframes at once, with flat ones where nothing was traded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flows.bars.fold import WIDTH, Folded, add
from flows.columns import Floats, Ints, Slots
from flows.kernel import kernel
from flows.module import Module


@kernel
def _emit(
    at: int, s: int, k: int, ts: int, number: int, now: Floats, slot: Slots, kind: Ints, out: Ints, n: Ints, f: Floats
) -> None:
    if at < len(slot):
        slot[at], kind[at], out[at], n[at] = s, k, ts, number
        f[at] = now


@kernel
def _flats(
    upto: int, step: int, limit: int, state: Ints, now: Floats, s: int, k: int, count: int,
    slot: Slots, kind: Ints, out: Ints, n: Ints, f: Floats,
) -> int:  # fmt: skip
    """Flat candles up to an instant, ``limit`` of them at most since the last one with trades."""
    while state[0] > 0 and state[0] + step <= upto and state[2] < limit:
        state[0] += step
        state[2] += 1
        now[0] = now[1] = now[2] = now[3]
        now[4:] = 0.0
        _emit(count, s, k, state[0], 0, now, slot, kind, out, n, f)
        count += 1
    return count


@kernel
def _roll(
    bar_slot: Slots, bar_ts: Ints, bar_count: Ints, bars: Floats, grain: int, steps: Ints, closed: int, until: int,
    limit: int, state: Ints, held: Floats, slot: Slots, kind: Ints, out: Ints, n: Ints, f: Floats,
) -> int:  # fmt: skip
    """``state`` by slot and timeframe: the close of the newest candle, the trades in it so far, flat ones in a row.

    A candle that is open has trades, and its close lies behind ``closed``. Counts beyond the room there is.
    """
    count = 0
    for k in range(len(steps)):
        step = steps[k]
        for i in range(len(bar_ts)):
            s = bar_slot[i]
            mine, now = state[s, k], held[s, k]
            begin = (bar_ts[i] - grain) // step * step
            if mine[1] > 0 and mine[0] <= begin:
                _emit(count, s, k, mine[0], mine[1], now, slot, kind, out, n, f)
                count += 1
                mine[1] = 0
            if mine[1] == 0:
                count = _flats(begin, step, limit, mine, now, s, k, count, slot, kind, out, n, f)
                now[:] = bars[i]
                mine[0], mine[1], mine[2] = begin + step, bar_count[i], 0
                continue
            mine[1] += bar_count[i]
            now[1], now[2], now[3] = max(now[1], bars[i, 1]), min(now[2], bars[i, 2]), bars[i, 3]
            for at in range(4, 7):
                add(now, at, bars[i, at])
                now[at + 3] += bars[i, at + 3]
        for s in range(len(state)):
            mine, now = state[s, k], held[s, k]
            if mine[1] > 0 and mine[0] <= closed:
                _emit(count, s, k, mine[0], mine[1], now, slot, kind, out, n, f)
                count += 1
                mine[1] = 0
            if mine[1] == 0:
                count = _flats(until, step, limit, mine, now, s, k, count, slot, kind, out, n, f)
    return count


class Roll(Module):
    """Adds candles of the grid up. State a symbol and timeframe: its newest candle.

    With ``flat`` above 0, that many flat candles are made in a row at most (open = high = low = close, volume 0).
    """

    def __init__(self, grain_ms: int, steps_ms: Sequence[int], flat: int) -> None:
        self.grain, self.steps, self.flat = grain_ms, np.array(steps_ms, np.int64), flat
        self.newest = self.state(len(steps_ms), 3, dtype=np.int64)
        self.held = self.state(len(steps_ms), WIDTH)

    def __call__(self, bars: Folded, slots: int, closed: int, until: int) -> Folded:
        """The candles that close up to ``closed``; flat ones up to ``until``. ``bars`` are all before, in order."""
        self.reserve(slots)
        out = Folded.room((len(bars) + len(self.newest)) * len(self.steps))
        before = (self.newest.copy(), self.held.copy()) if self.flat else (self.newest, self.held)
        count = self._pass(bars, closed, until, out)
        if count > len(out):
            # More flat ones than there was room for.
            self.newest, self.held = before
            out = Folded.room(count)
            self._pass(bars, closed, until, out)
        return out[:count].in_order()

    def _pass(self, bars: Folded, closed: int, until: int, out: Folded) -> int:
        return _roll(
            bars.slot, bars.ts, bars.count, bars.figures, self.grain, self.steps, closed, until, self.flat,
            self.newest, self.held, out.slot, out.kind, out.ts, out.count, out.figures,
        )  # fmt: skip
