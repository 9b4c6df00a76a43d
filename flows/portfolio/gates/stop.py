"""Gate: every entry carries a stop and a target, on the right sides of the price."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from flows.portfolio.control.base import MANUAL
from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from flows.portfolio.levels import distance
from flows.portfolio.rounding import DOWN, UP, on_grid
from schemas.config.exits import Measure
from schemas.config.root import Config

NO_STOP = "the signal gives none (stop_distance; by hand stop=PRICE), nor does exits.stop"
NO_TARGET = (
    "the signal gives none (target_distance; by hand target=PRICE), nor does exits.target; "
    "exits.require_target=false trades without"
)
UNGUARDED = ("STOP_MISSING", "TARGET_MISSING")
"""A strategy with a mistake may be refused every entry by these: an alert tells of its first one."""


class Told(Figures):
    """What it decides on."""

    stop: float


class Stop(Gate):
    """Puts stop and target on the tick, both towards the price: the risk taken is never above the one asked for."""

    name = "stop"
    codes: ClassVar = {
        "ATR_UNKNOWN": "a level is measured in average true ranges, and too few candles have come for that",
        "STOP_MISSING": "neither the signal nor `exits.stop` gives a stop",
        "STOP_WRONG_SIDE": "the stop is not beyond the price",
        "TARGET_MISSING": "neither the signal nor `exits.target` gives a target; to trade without one, switch off "
        "`exits.require_target`",
        "TARGET_WRONG_SIDE": "the target is not beyond the price",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``exits``, those of strategies, and ``entries``. There is no trading without a stop."""
        waits = config.entries.uses_atr
        self.shared = config.exits, config.exits.uses_atr or waits
        own = {one.label: config.exits_of(one.label) for one in config.strategies}
        self.own = {label: (exits, exits.uses_atr or waits) for label, exits in own.items()}

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``STOP_MISSING`` without one, ``STOP_WRONG_SIDE`` when it is not beyond the price, likewise the target.

        Without a target an entry passes only where ``exits.require_target`` is off.
        """
        signal, side, price, tick = intent.signal, intent.side, intent.price, intent.instrument.tick
        exits, uses_atr = self.own.get(signal.strategy, self.shared)
        if uses_atr:
            intent.atr = standing.atr
            if math.isnan(intent.atr):
                return Refusal("ATR_UNKNOWN", {"price": price})
        wanted = _level(signal.stop, exits.stop, exits.stop_at, -side, intent)
        if wanted is None:
            return Refusal("STOP_MISSING", {"price": price, "why": NO_STOP})
        inward, outward = (UP, DOWN) if side > 0 else (DOWN, UP)
        intent.stop = on_grid(wanted, tick, inward)
        stop = float(intent.stop)
        intent.risk = (price - stop) * side
        if intent.risk <= 0:
            return Refusal("STOP_WRONG_SIDE", {"price": price, "stop": stop})
        wanted = _level(signal.target, exits.target, exits.target_at, side, intent)
        if wanted is not None:
            intent.target = on_grid(wanted, tick, outward)
            target = float(intent.target)
            if (target - price) * side <= 0:
                return Refusal("TARGET_WRONG_SIDE", {"price": price, "target": target})
        elif exits.require_target:
            return Refusal("TARGET_MISSING", {"price": price, "why": NO_TARGET})
        return Told(stop)


def _level(said: float | None, by: Literal["signal"] | Measure, at: float, way: int, intent: Intent) -> float | None:
    """A distance from the price, but never below the first tick; or what was said, if that is to count.

    A price that a person has named goes before a distance that is configured.
    """
    if by == "signal" or (said is not None and intent.signal.strategy == MANUAL):
        return said
    return max(intent.price + way * distance(by, at, intent), float(intent.instrument.tick))
