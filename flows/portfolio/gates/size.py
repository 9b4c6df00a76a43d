"""Gate: the intent gets its quantity."""

from __future__ import annotations

import math
from typing import ClassVar

from flows.portfolio.gates.base import Gate, Intent, Named, Refusal, Standing
from flows.portfolio.sizing import MULTIPLIERS, SIZERS
from flows.portfolio.sizing.base import Ask
from schemas.config.root import Config
from schemas.timeframe import step_of

YEAR_MS = 365 * 86_400_000


class Size(Gate):
    """Asks the sizing rule of the configuration, then the multipliers that it asks for."""

    name = "size"
    codes: ClassVar = {
        "EQUITY_EXHAUSTED": "no equity is left to risk",
        "SIZE_ZERO": "the sizing rule gives nothing; the figures say on what it decided",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.sizing``, the settings of that rule, ``risk.strategy_scale`` and ``risk.scale_by_confidence``,
        ``risk.scale_by_consensus``.
        """
        self.config, self.sizer = config.risk, SIZERS[config.risk.sizing]
        self.multipliers = [(rule.__name__, rule) for name, rule in MULTIPLIERS.items() if getattr(config.risk, name)]
        self.candles: dict[str, float] = {}  # by timeframe: root of how many of them a year has

    def check(self, intent: Intent, standing: Standing) -> Named | Refusal:
        """``EQUITY_EXHAUSTED`` when there is no equity left to risk, ``SIZE_ZERO`` when the rule gives nothing."""
        if standing.equity <= 0:
            return Refusal("EQUITY_EXHAUSTED", {"equity": standing.equity})
        signal = intent.signal
        trades = standing.memory.trades.get(signal.strategy, ())
        vol = standing.vol * self._root(signal.timeframe)
        sized = self.sizer(self.config, Ask(standing.equity, intent.price, intent.risk, vol, trades))
        quantity = sized.quantity
        found: Named = {"equity": standing.equity, "quantity": quantity, **sized.figures}
        for name, multiplier in self.multipliers:
            factor = found[name] = multiplier(self.config, signal)
            quantity *= factor
        if quantity <= 0:
            return Refusal("SIZE_ZERO", found)
        intent.quantity = found["quantity"] = quantity
        return found

    def _root(self, timeframe: str) -> float:
        root = self.candles.get(timeframe)
        if root is None:
            root = self.candles[timeframe] = math.sqrt(YEAR_MS / step_of(timeframe))
        return root
