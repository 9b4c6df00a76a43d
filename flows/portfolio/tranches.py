"""Tranches: the parts of a position, each with a stop and a target of its own, and what a candle sets off of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import numpy as np

from schemas.order import BracketLeg


class Tranche(msgspec.Struct, gc=False):
    """A part of a position. The floats are what candles are compared with."""

    number: int  # within the position, in the order of the entry's tranches
    quantity: Decimal
    stop: Decimal
    target: Decimal | None
    stop_at: float
    target_at: float  # out of reach (infinite) when there is none


class Guard(msgspec.Struct, gc=False):
    """What guards a position: all tranches that are still held."""

    side: int  # 1 long, -1 short
    tranches: list[Tranche]

    def outermost(self) -> tuple[Decimal, Decimal | None]:
        """The stop and the target that are farthest away; no target when a part has none."""
        worst = min(self.tranches, key=lambda one: one.stop_at * self.side)
        best = max(self.tranches, key=lambda one: one.target_at * self.side)
        return worst.stop, best.target


class Hit(NamedTuple):
    """A level that a candle reached, and the tranches that leave there together."""

    leg: BracketLeg
    level: Decimal
    at: float  # where it was reached: the open when the candle opened beyond it, else the level itself
    tranches: Sequence[Tranche]


def tranche(number: int, side: int, quantity: Decimal, stop: Decimal, target: Decimal | None) -> Tranche:
    """A tranche, ready to be compared with candles."""
    return Tranche(number, quantity, stop, target, float(stop), side * np.inf if target is None else float(target))


def guard_of(order: Any, side: int, first: int = 0) -> Guard:
    """The guard of an entry that was filled. Its tranches are numbered from ``first`` on."""
    parts = order.tranches or (order,)
    made = [tranche(first + n, side, one.quantity, one.stop, one.target) for n, one in enumerate(parts)]
    return Guard(side, made)


def hits(guard: Guard, open_: float, high: float, low: float) -> list[Hit]:
    """What a candle sets off: first what it opened beyond, then the stops inside it, then the targets.

    A candle does not tell which of its prices came first: where a tranche has both its stop and its target inside,
    it is the stop.
    """
    side = guard.side
    worst, best = (low, high) if side > 0 else (high, low)
    found: dict[tuple[int, BracketLeg, float], list[Tranche]] = {}
    for one in guard.tranches:
        beyond_target = (open_ - one.target_at) * side >= 0
        if (worst - one.stop_at) * side <= 0 and not beyond_target:
            rank = 0 if (open_ - one.stop_at) * side <= 0 else 1
            found.setdefault((rank, "stop", one.stop_at), []).append(one)
        elif (best - one.target_at) * side >= 0:
            found.setdefault((0 if beyond_target else 2, "target", one.target_at), []).append(one)
    return [
        Hit(leg, parts[0].stop if leg == "stop" else parts[0].target, open_ if rank == 0 else level, parts)  # type: ignore[arg-type]
        for (rank, leg, level), parts in (
            sorted(found.items(), key=lambda item: _order(item[0], side)) if len(found) > 1 else found.items()
        )
    ]


def _order(key: tuple[int, BracketLeg, float], side: int) -> tuple[int, float]:
    """As the price would come along: of several stops or targets the nearest one first."""
    rank, leg, level = key
    return rank, level * side * (1 if leg == "target" else -1)
