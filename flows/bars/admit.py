"""Which trades count: each row is judged in the order in which it came, so the verdicts do not depend on any cut.

The event time of a shard is its newest trade or clock; ``lateness`` behind it, time is closed by whole *grains*. A
trade of a closed grain is late. Trades of open grains may come in any order: they are put in order when theirs closes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from flows.columns import Bools, Flags, Floats, Ints, Slots
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
    SIDE_UNREADABLE = 8
    QUOTE = 9


def table(*some: Verdict) -> Bools:
    """By verdict, whether it is one of these: what is looked up in it for a whole batch costs next to nothing.

    >>> table(Verdict.ACCEPTED, Verdict.CLOCK)[np.array([0, 5, 7], np.int8)].tolist()
    [True, False, True]
    """
    found = np.zeros(len(Verdict), np.bool_)
    found[list(some)] = True
    return found


@kernel
def _shape(ts: int, price: float, amount: float) -> int:
    """Verdict on a row by itself."""
    if ts < 0:
        return 1
    if not np.isfinite(price + amount):
        return 8 if amount == -np.inf else 2
    if price <= 0:
        return 3
    if amount <= 0:
        return 4
    return 0


@kernel
def _place(blocks: Ints, of: Slots, half: int, s: int, block: int) -> int:
    """Where a block of ids is in one half of the table; where it is not, the place for it, whose ``of`` is 0."""
    mask = len(blocks) // 2 - 1
    at = (block * -7046029254386353131 + s * 668265263) >> 20 & mask
    base = half * (mask + 1)
    while of[base + at] != 0 and (blocks[base + at] != block or of[base + at] != s + 1):
        at = (at + 1) & mask
    return base + at


@kernel
def _knows(blocks: Ints, of: Slots, bits: Ints, half: int, s: int, block: int, bit: int) -> bool:
    """Whether an id is in one half of the table."""
    at = _place(blocks, of, half, s, block)
    return bool(of[at] != 0 and bits[at] & bit != 0)


@kernel
def _fill(blocks: Ints, of: Slots, bits: Ints, half: int, known: Slots, known_blocks: Ints, known_bits: Ints) -> None:
    """Write down what is known."""
    for i in range(len(known)):
        at = _place(blocks, of, half, known[i] - 1, known_blocks[i])
        blocks[at], of[at], bits[at] = known_blocks[i], known[i], known_bits[i]


@kernel
def _admit(
    slot: Slots, ts: Ints, price: Floats, amount: Floats, id: Ints, grain: int, lateness: int, remember: int,
    time: Ints, last: Ints, blocks: Ints, of: Slots, bits: Ints, table: Ints, verdict: Flags, closed: Ints,
) -> bool:  # fmt: skip
    """Fills ``verdict`` and ``closed``, before which all is closed after the row. False: rows are out of order.

    An entry of the table stands for 64 ids that are neighbours, one bit each, for they come one after the other.
    ``table`` says which half is written to, and how many ids are there. When these are ``remember``, the other half is
    emptied and written to: so that many are known again at least, up to twice as many.
    """
    ordered = True
    newest, done, half, filled, size = time[0], time[1], table[0], table[1], len(blocks) // 2
    for i in range(len(ts)):
        s, t, number = slot[i], ts[i], id[i]
        bad = _shape(t, price[i], amount[i]) if s >= 0 else 7 if s == -1 else 9
        if bad == 0:
            newer = number > last[s, 2]  # than all of its symbol: so it need not be looked for
            block, bit, at = number >> 6, 1 << (number & 63), last[s, 3]
            if at < 0 or blocks[at] != block or of[at] != s + 1:  # not where the one before was
                at = last[s, 3] = _place(blocks, of, half, s, block)
            there = of[at] != 0
            if (there and bits[at] & bit != 0) or (not newer and _knows(blocks, of, bits, 1 - half, s, block, bit)):
                bad = 6
            else:
                if not there:
                    blocks[at], of[at], bits[at] = block, s + 1, 0
                bits[at] |= bit
                filled += 1
                if filled == remember:
                    half, filled = 1 - half, 0
                    of[half * size : (half + 1) * size] = 0
                    last[:, 3] = -1
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
        self.last = self.state(4, dtype=np.int64, fill=-1)
        """By symbol: time and id of the newest accepted, the largest id, and where the newest is in the table or -1."""
        self.time = np.array([-1, 0], np.int64)  # newest instant; all before the second one is closed
        self._empty()

    def _empty(self) -> None:
        places = 1 << (2 * self.remember + 16).bit_length()  # of a half: it is never more than half full
        self._of = np.zeros(2 * places, np.int32)  # slot + 1; 0 where there is none
        self._blocks, self._bits = np.empty(2 * places, np.int64), np.empty(2 * places, np.int64)
        self._table = np.zeros(2, np.int64)

    def __call__(self, batch: TradeBatch, slot: Slots, slots: int) -> tuple[Flags, Ints, bool]:
        """By row of a batch its verdict, and before when all is closed with it; whether symbols stayed in order."""
        self.reserve(slots)
        verdict, closed = np.empty(len(batch), np.int8), np.empty(len(batch), np.int64)
        ordered = _admit(
            slot, batch.ts, batch.price, batch.amount, batch.id, self.grain, self.lateness, self.remember,
            self.time, self.last, self._blocks, self._of, self._bits, self._table, verdict, closed,
        )  # fmt: skip
        return verdict, closed, ordered

    @property
    def closed(self) -> int:
        """Everything before this instant is closed, epoch ms."""
        return int(self.time[1])

    def state_dict(self) -> dict[str, Any]:
        """State; of the table what is in it."""
        halves = zip(*(np.split(column, 2) for column in (self._of, self._blocks, self._bits)), strict=True)
        known = [(of[of != 0], blocks[of != 0], bits[of != 0]) for of, blocks, bits in halves]
        return {**super().state_dict(), "time": self.time.copy(), "table": self._table.copy(), "known": known}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put it back."""
        super().load_state_dict(state)
        self.time = state["time"].copy()
        self._empty()
        for half, known in enumerate(state["known"]):
            _fill(self._blocks, self._of, self._bits, half, *known)
        self._table, self.last[:, 3] = state["table"].copy(), -1
