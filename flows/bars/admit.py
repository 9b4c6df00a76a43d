"""Which trades count: each row is judged in the order in which it came, so the verdicts do not depend on any cut.

The event time of a shard is its newest trade or clock; ``lateness`` behind it, time is closed by whole *grains*. A
trade of a closed grain is late. Trades of open grains may come in any order: they are put in order when theirs closes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from flows.columns import Flags, Floats, Ints, Slots
from flows.kernel import kernel
from flows.module import Module
from schemas.batch import TradeBatch


class Verdict(IntEnum):
    """What became of a row; the names of the others are the reasons in dead letters."""

    ACCEPTED = 0
    TIME_UNREADABLE = 1
    VALUE_NOT_FINITE = 2
    PRICE_NOT_POSITIVE = 3
    AMOUNT_NOT_POSITIVE = 4
    TRADE_LATE = 5
    TRADE_DUPLICATE = 6  # its first one counts; dropped and counted, no dead letter
    CLOCK = 7
    QUOTE = 8


@kernel
def _shape(ts: int, price: float, amount: float) -> int:
    """Verdict on a row by itself."""
    if ts < 0:
        return 1
    if not np.isfinite(price + amount):
        return 2
    if price <= 0:
        return 3
    if amount <= 0:
        return 4
    return 0


@kernel
def _place(ids: Ints, slots: Slots, half: int, s: int, number: int) -> int:
    """Where an id is in one half of the table, or -1 - the free place where it would be.

    Neighbours in number are neighbours here, by sixteens, as they come one after the other.
    """
    mask = len(ids) // 2 - 1
    at = (((number >> 4) * -7046029254386353131 + s * 668265263) >> 20 << 4 | number & 15) & mask
    at += half * (mask + 1)
    while slots[at] != 0:
        if ids[at] == number and slots[at] == s + 1:
            return at
        at = (at & ~mask) | ((at + 1) & mask)
    return -1 - at


@kernel
def _fill(ids: Ints, slots: Slots, half: int, of: Slots, known: Ints) -> None:
    """Write down what is known."""
    for i in range(len(of)):
        at = _place(ids, slots, half, of[i] - 1, known[i])
        ids[-1 - at], slots[-1 - at] = known[i], of[i]


@kernel
def _admit(
    slot: Slots,
    ts: Ints,
    price: Floats,
    amount: Floats,
    id: Ints,
    grain: int,
    lateness: int,
    remember: int,
    time: Ints,
    last: Ints,
    ids: Ints,
    slots: Slots,
    table: Ints,
    verdict: Flags,
    closed: Ints,
) -> bool:
    """Fills ``verdict`` and ``closed``, before which all is closed after the row. False: rows are out of order.

    ``table`` says which half of ``ids`` is written to, and how many are there. When these are ``remember``, the other
    half is emptied and written to: so that many are known again at least, up to twice as many.
    """
    ordered = True
    newest, done, half, filled, size = time[0], time[1], table[0], table[1], len(ids) // 2
    for i in range(len(ts)):
        s, t, number = slot[i], ts[i], id[i]
        bad = _shape(t, price[i], amount[i]) if s >= 0 else 7 if s == -1 else 8
        if bad == 0:
            newer = number > last[s, 2]  # than all of its symbol: so it need not be looked for
            at = _place(ids, slots, half, s, number)
            if at >= 0 or (not newer and _place(ids, slots, 1 - half, s, number) >= 0):
                bad = 6
            else:
                ids[-1 - at], slots[-1 - at] = number, s + 1
                filled += 1
                if filled == remember:
                    half, filled = 1 - half, 0
                    slots[half * size : (half + 1) * size] = 0
                if newer:
                    last[s, 2] = number
                if t < done:
                    bad = 5
                elif t < last[s, 0] or (t == last[s, 0] and max(number, -1) < last[s, 1]):
                    ordered = False
                else:
                    last[s, 0], last[s, 1] = t, max(number, -1)
        if (bad == 0 or bad == 7) and t > newest:
            newest = t
            if t - lateness >= done + grain:
                done = (t - lateness) // grain * grain
        verdict[i] = bad
        closed[i] = done
    time[0], time[1], table[0], table[1] = newest, done, half, filled
    return ordered


class Admission(Module):
    """Judges rows. State: the time of the shard, the newest trade of each symbol, and the ids that it knows again."""

    def __init__(self, grain_ms: int, lateness_ms: int, remember: int) -> None:
        self.grain, self.lateness, self.remember = grain_ms, lateness_ms, remember
        self.last = self.state(3, dtype=np.int64, fill=-1)  # time and id of the newest accepted; the largest id
        self.time = np.array([-1, 0], np.int64)  # newest instant; all before the second one is closed
        self._empty()

    def _empty(self) -> None:
        places = 1 << (2 * self.remember + 16).bit_length()  # of a half: it is never more than half full
        self._ids, self._of = np.empty(2 * places, np.int64), np.zeros(2 * places, np.int32)
        self._table = np.zeros(2, np.int64)

    def __call__(self, batch: TradeBatch, slot: Slots, slots: int) -> tuple[Flags, Ints, bool]:
        """By row of a batch its verdict, and before when all is closed with it; whether symbols stayed in order."""
        self.reserve(slots)
        verdict, closed = np.empty(len(batch), np.int8), np.empty(len(batch), np.int64)
        ordered = _admit(
            slot,
            batch.ts,
            batch.price,
            batch.amount,
            batch.id,
            self.grain,
            self.lateness,
            self.remember,
            self.time,
            self.last,
            self._ids,
            self._of,
            self._table,
            verdict,
            closed,
        )
        return verdict, closed, ordered

    @property
    def closed(self) -> int:
        """Everything before this instant is closed, epoch ms."""
        return int(self.time[1])

    def state_dict(self) -> dict[str, Any]:
        """State; of the table what is in it."""
        halves = zip(np.split(self._of, 2), np.split(self._ids, 2), strict=True)
        known = [(of[of != 0], ids[of != 0]) for of, ids in halves]
        return {**super().state_dict(), "time": self.time.copy(), "half": int(self._table[0]), "known": known}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put it back."""
        super().load_state_dict(state)
        self.time = state["time"].copy()
        self._empty()
        for half, (of, ids) in enumerate(state["known"]):
            _fill(self._ids, self._of, half, of, ids)
        self._table[:] = state["half"], len(state["known"][state["half"]][0])
