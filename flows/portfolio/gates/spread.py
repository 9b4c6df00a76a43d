"""Gate: getting in and out must not cost too much by the spread alone."""

from __future__ import annotations

import math
from typing import ClassVar

from msgspec import UNSET, UnsetType

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from flows.portfolio.levels import distance
from schemas.config.root import Config

ROUNDING = 1 + 1e-9
"""A spread that was meant to be the limit may come out a rounding error past it."""


class Told(Figures):
    """What it decides on."""

    bid: float | None
    ask: float | None
    bps: float | UnsetType = UNSET
    most_bps: float | UnsetType = UNSET
    of_stop: float | UnsetType | None = UNSET
    most_of_stop: float | UnsetType = UNSET


class Spread(Gate):
    """``ask - bid``, as the signal's candle knew them at its close, may not pass ``risk.max_spread_bps`` of the middle
    between them, nor ``risk.max_spread_of_stop`` of the distance from the price to the stop.
    """

    name = "spread"
    codes: ClassVar = {
        "SPREAD_TOO_WIDE": "bid and ask are too far apart",
        "SPREAD_UNKNOWN": "a limit is set, and no bid and ask are known at the close of the candle",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_spread_bps``, ``risk.max_spread_of_stop`` and ``exits.stop``."""
        self.most, self.of_stop, self.exits = config.risk.max_spread_bps, config.risk.max_spread_of_stop, config.exits

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a limit."""
        return (config.risk.max_spread_bps, config.risk.max_spread_of_stop) != (None, None)

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``SPREAD_UNKNOWN`` without bid and ask, ``SPREAD_TOO_WIDE`` past a limit."""
        bid, ask = intent.signal.bid, intent.signal.ask
        if bid is None or ask is None:
            return Refusal("SPREAD_UNKNOWN", Told(bid, ask))
        figures = Told(bid, ask)
        wide = False
        if self.most is not None:
            bps = (ask - bid) / ((ask + bid) / 2) * 10_000
            figures.bps, figures.most_bps = bps, self.most
            wide = bps > self.most * ROUNDING
        if self.of_stop is not None:
            far = self._stop_distance(intent, standing)
            share = (ask - bid) / far if far > 0 else None
            figures.of_stop, figures.most_of_stop = share, self.of_stop
            wide = wide or (share is not None and share > self.of_stop * ROUNDING)
        return Refusal("SPREAD_TOO_WIDE", figures) if wide else figures

    def _stop_distance(self, intent: Intent, standing: Standing) -> float:
        """Before it is put on the tick. NaN without a stop, which the gate ``stop`` is going to refuse."""
        if self.exits.stop == "signal":
            stop = intent.signal.stop
            return math.nan if stop is None else abs(intent.price - stop)
        intent.atr = standing.atr
        return distance(self.exits.stop, self.exits.stop_at, intent)
