"""Tranches: the parts of a position, each with a stop and a target of its own, and what a candle sets off of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import numpy as np

from flows.portfolio.scan import NEVER
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
    """What guards a position: all tranches that are still held, and what moves their stops or ends its time."""

    side: int  # 1 long, -1 short
    tranches: list[Tranche]
    even_at: float  # a price at which the stops go to the entry; out of reach (infinite) when there is none
    due: int = NEVER  # close of the last candle that it is held, epoch ms
    targets: int = 0  # that were reached
    numbered: int = 0  # tranches that it ever had
    candles: int = 0  # so many it is held, if its time ends

    def tighten(self, stop: Decimal) -> bool:
        """Move stops that are farther away to a level. Returns whether any was."""
        level, moved = float(stop), False
        for one in self.tranches:
            if (level - one.stop_at) * self.side > 0:
                one.stop, one.stop_at, moved = stop, level, True
        return moved

    def add(self, tranches: list[Tranche], stop: Decimal) -> None:
        """More is held: no stop is farther away than the nearer one of the position's and of what was added."""
        before = self.outermost()[0]
        for one in tranches:
            one.number += self.numbered
        self.numbered += len(tranches)
        self.tranches = [*self.tranches, *tranches]
        self.tighten(before)
        self.tighten(stop)

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
    tranches: list[Tranche]


def tranche(number: int, side: int, quantity: Decimal, stop: Decimal, target: Decimal | None) -> Tranche:
    """A tranche, ready to be compared with candles."""
    return Tranche(number, quantity, stop, target, float(stop), side * np.inf if target is None else float(target))


def guard_of(order: Any, side: int) -> Guard:
    """The guard of an entry that was filled."""
    parts = order.tranches or (order,)
    made = [tranche(number, side, one.quantity, one.stop, one.target) for number, one in enumerate(parts)]
    return Guard(side, made, side * np.inf, numbered=len(made))


def hits(guard: Guard, open_: float, high: float, low: float) -> list[Hit]:
    """What a candle sets off: first what it opened beyond, then the stops inside it, then the targets.

    A candle does not tell which of its prices came first: where a tranche has both its stop and its target inside,
    it is the stop.
    """
    side = guard.side
    worst, best = (low, high) if side > 0 else (high, low)
    found: list[tuple[int, Hit]] = []
    for one in guard.tranches:
        beyond_target = (open_ - one.target_at) * side >= 0
        if (worst - one.stop_at) * side <= 0 and not beyond_target:
            beyond = (open_ - one.stop_at) * side <= 0
            found.append((0 if beyond else 1, Hit("stop", one.stop, open_ if beyond else one.stop_at, [one])))
        elif one.target is not None and (best - one.target_at) * side >= 0:
            at = open_ if beyond_target else one.target_at
            found.append((0 if beyond_target else 2, Hit("target", one.target, at, [one])))
    return [hit for _, hit in found] if len(found) < 2 else _together(found, side)


def _together(found: list[tuple[int, Hit]], side: int) -> list[Hit]:
    """Hits of one level as one, in the order in which the price would come along."""
    level = {"stop": -side, "target": side}  # of several stops or targets the nearest one first
    found.sort(key=lambda ranked: (ranked[0], ranked[1].level * level[ranked[1].leg]))
    joined: list[Hit] = []
    for _, hit in found:
        if joined and (joined[-1].leg, joined[-1].level) == (hit.leg, hit.level):
            joined[-1].tranches.extend(hit.tranches)
        else:
            joined.append(hit)
    return joined
