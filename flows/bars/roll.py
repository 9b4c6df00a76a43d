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
    at: int, s: int, k: int, number: int, state: Ints, held: Floats, slot: Slots, kind: Ints, out: Ints, n: Ints,
    f: Floats,
) -> None:  # fmt: skip
    if at < len(slot):
        row = s * state.shape[1] + k
        slot[at], kind[at], out[at], n[at] = s, k, state[s, k, 0], number
        for figure in range(WIDTH):
            f[at, figure] = held[row, figure]


@kernel
def _flats(
    upto: int, step: int, limit: int, state: Ints, held: Floats, s: int, k: int, count: int,
    slot: Slots, kind: Ints, out: Ints, n: Ints, f: Floats,
) -> int:  # fmt: skip
    """Flat candles up to an instant, ``limit`` of them at most since the last one with trades."""
    row = s * state.shape[1] + k
    while state[s, k, 0] > 0 and state[s, k, 0] + step <= upto and state[s, k, 2] < limit:
        state[s, k, 0] += step
        state[s, k, 2] += 1
        for figure in range(WIDTH):
            held[row, figure] = held[row, 3] if figure < 4 else 0.0
        _emit(count, s, k, 0, state, held, slot, kind, out, n, f)
        count += 1
    return count


@kernel
def _join(held: Floats, row: int, figures: Floats, i: int) -> None:
    """Add a candle to the one of a row, which it follows."""
    held[row, 1], held[row, 2] = max(held[row, 1], figures[i, 1]), min(held[row, 2], figures[i, 2])
    held[row, 3] = figures[i, 3]
    for at in range(4, 7):
        add(held, row, at, figures[i, at])
        held[row, at + 3] += figures[i, at + 3]


@kernel
def _roll(
    bar_slot: Slots, bar_ts: Ints, bar_count: Ints, bars: Floats, grain: int, steps: Ints, finer: Ints, order: Ints,
    closed: int, until: int, limit: int, state: Ints, held: Floats,
    slot: Slots, kind: Ints, out: Ints, n: Ints, f: Floats,
) -> int:  # fmt: skip
    """``state`` by slot and timeframe: the close of the newest candle, the trades in it so far, flat ones in a row;
    ``held`` has the figures, a row for each timeframe of each slot. A candle that is open has trades, and its close
    lies behind ``closed``. Counts beyond the room there is.

    In ``order``, each timeframe is made of the candles of a ``finer`` one that have just closed, or (-1) of the bars.
    Flat candles are looked for only behind a hole: a call with so many arrays costs more than a candle.
    """
    count, began, ended = 0, np.zeros_like(steps), np.zeros_like(steps)
    for k in order:
        step, source = steps[k], finer[k]
        length = grain if source < 0 else steps[source]
        from_slot, from_ts, from_count, figures = bar_slot, bar_ts, bar_count, bars
        first, last = 0, len(bar_ts)
        if source >= 0:
            from_slot, from_ts, from_count, figures = slot, out, n, f
            first, last = began[source], min(ended[source], len(slot))
        began[k] = count
        for i in range(first, last):
            if from_count[i] == 0:
                continue  # a flat one
            s = from_slot[i]
            row = s * len(steps) + k
            if length == step:  # it is a candle already, and none of its symbol is open
                if state[s, k, 0] < from_ts[i] - step:
                    count = _flats(from_ts[i] - step, step, limit, state, held, s, k, count, slot, kind, out, n, f)
                state[s, k, 0], state[s, k, 2], held[row, 3] = from_ts[i], 0, figures[i, 3]
                if count < len(slot):
                    slot[count], kind[count], out[count], n[count] = s, k, from_ts[i], from_count[i]
                    for at in range(WIDTH):
                        f[count, at] = figures[i, at]
                count += 1
                continue
            if state[s, k, 1] > 0 and from_ts[i] <= state[s, k, 0]:
                state[s, k, 1] += from_count[i]
                _join(held, row, figures, i)
                continue
            if state[s, k, 1] > 0:
                _emit(count, s, k, state[s, k, 1], state, held, slot, kind, out, n, f)
                count += 1
            begin = (from_ts[i] - length) // step * step
            if state[s, k, 0] < begin:
                count = _flats(begin, step, limit, state, held, s, k, count, slot, kind, out, n, f)
            for at in range(WIDTH):
                held[row, at] = figures[i, at]
            state[s, k, 0], state[s, k, 1], state[s, k, 2] = begin + step, from_count[i], 0
        for s in range(len(state)):
            if state[s, k, 1] > 0 and state[s, k, 0] <= closed:
                _emit(count, s, k, state[s, k, 1], state, held, slot, kind, out, n, f)
                count += 1
                state[s, k, 1] = 0
            if state[s, k, 1] == 0 and state[s, k, 0] < until:
                count = _flats(until, step, limit, state, held, s, k, count, slot, kind, out, n, f)
        ended[k] = count
    return count


class Roll(Module):
    """Adds candles of the grid up. State a symbol and timeframe: its newest candle.

    With ``flat`` above 0, that many flat candles are made in a row at most (open = high = low = close, volume 0).
    """

    def __init__(self, grain_ms: int, steps_ms: Sequence[int], flat: int) -> None:
        self.grain, self.steps, self.flat = grain_ms, np.array(steps_ms, np.int64), flat
        self.finer, self.order = _finer(steps_ms), np.argsort(self.steps, kind="stable")
        self.newest = self.state(len(steps_ms), 3, dtype=np.int64)
        self.held = self.state(len(steps_ms), WIDTH)

    def __call__(self, bars: Folded, slots: int, closed: int, until: int) -> Folded:
        """The candles that close up to ``closed``; flat ones up to ``until``. ``bars`` are all before, in order."""
        self.reserve(slots)
        out = Folded.room((len(bars) + len(self.newest)) * len(self.steps))
        before = (self.newest.copy(), self.held.copy()) if self.flat else None
        while (count := self._pass(bars, closed, until, out)) > len(out):
            # More flat ones than there was room for: once more from the beginning.
            assert before is not None, "only flat candles can be more than bars and symbols"
            self.newest[:], self.held[:] = before
            out = Folded.room(2 * count)
        return out[:count].in_order()

    def _pass(self, bars: Folded, closed: int, until: int, out: Folded) -> int:
        return _roll(
            bars.slot, bars.ts, bars.count, bars.figures, self.grain, self.steps, self.finer, self.order,
            closed, until, self.flat, self.newest, self.held.reshape(-1, WIDTH),
            out.slot, out.kind, out.ts, out.count, out.figures,
        )  # fmt: skip


def _finer(steps: Sequence[int]) -> Ints:
    """By timeframe, the largest one of which it is a whole number; -1 where there is none.

    >>> _finer([60_000, 1_000, 300_000, 420_000]).tolist()
    [1, -1, 0, 0]
    """
    parts = ([(one, at) for at, one in enumerate(steps) if one < step and step % one == 0] for step in steps)
    return np.array([max(found)[1] if found else -1 for found in parts], np.int64)
