"""Gate: every entry carries a stop, on the right side of the price."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from flows.portfolio.rounding import DOWN, UP, on_grid
from schemas.config.root import Config


class Stop(Gate):
    """Puts stop and target on the tick, both towards the price: the risk taken is never above the one asked for."""

    name = "stop"
    codes: ClassVar = {
        "STOP_MISSING": "the signal has no stop",
        "STOP_WRONG_SIDE": "the stop is not beyond the price",
        "TARGET_WRONG_SIDE": "the target is not beyond the price",
    }

    def __init__(self, config: Config) -> None:
        """It has no settings: there is no trading without a stop."""

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``STOP_MISSING`` without one, ``STOP_WRONG_SIDE`` when it is not beyond the price, likewise the target."""
        signal, side, price, tick = intent.signal, intent.side, intent.price, intent.instrument.tick
        if signal.stop is None:
            return Refusal("STOP_MISSING", {"price": price})
        inward, outward = (UP, DOWN) if side > 0 else (DOWN, UP)
        intent.stop = on_grid(signal.stop, tick, inward)
        stop = float(intent.stop)
        intent.risk = (price - stop) * side
        if intent.risk <= 0:
            return Refusal("STOP_WRONG_SIDE", {"price": price, "stop": stop})
        if signal.target is not None:
            intent.target = on_grid(signal.target, tick, outward)
            target = float(intent.target)
            if (target - price) * side <= 0:
                return Refusal("TARGET_WRONG_SIDE", {"price": price, "target": target})
        return {"stop": stop}
