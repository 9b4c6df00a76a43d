"""Gate: what all positions together lose seldom is limited."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import ClassVar

import numpy as np

from flows.portfolio.gates.base import Capped, Figures, Gate, Intent, Refusal, Standing, over
from flows.portfolio.value_at_risk import value_at_risk
from schemas.config.root import Config
from schemas.timeframe import to_millis


class Told(Capped):
    """What it decides on."""

    var: float  # account currency
    most: float
    samples: int


class ValueAtRisk(Gate):
    """The Value at Risk of all positions, this one among them, may not pass ``risk.max_var_pct`` of equity.

    It is estimated from the returns of the symbols concerned between the last instants that
    ``risk.var_sample`` divides, those in which all of them have one.
    """

    name = "var"
    codes: ClassVar = {
        "VAR_UNKNOWN": "the symbols concerned have too few returns in common",
        "VAR_TOO_LARGE": "with it, the Value at Risk of all positions would pass its share of equity",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.max_var_pct``, ``risk.var_method``, ``risk.var_level``, ``risk.var_horizon``,
        ``risk.var_sample``, ``risk.var_window``, ``risk.var_min_samples`` and ``risk.over_cap``.
        """
        risk = config.risk
        self.share, self.shrink = (risk.max_var_pct or 0.0) / 100, risk.over_cap == "shrink"
        self.least, self.level = risk.var_min_samples, risk.var_level
        self.root = math.sqrt(to_millis(risk.var_horizon) / to_millis(risk.var_sample))
        self.deviations = NormalDist().inv_cdf(risk.var_level) if risk.var_method == "parametric" else 0.0

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without a limit."""
        return config.risk.max_var_pct is not None

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``VAR_UNKNOWN`` with too few returns, ``VAR_TOO_LARGE`` above the limit unless there is room left."""
        exposures = standing.exposures()
        most, notional = standing.equity * self.share, intent.quantity * intent.price
        loss, room, samples = value_at_risk(
            standing.returns,
            np.array([one.slot for one in exposures], np.int64),
            np.array([one.signed for one in exposures], np.float64),
            standing.slot,
            notional * intent.side,
            most / self.root,
            self.level,
            self.deviations,
        )
        if samples < self.least:
            return Refusal("VAR_UNKNOWN", {"samples": samples, "least": self.least})
        figures = Told(loss * self.root, most, samples)
        return figures if notional <= room else over(intent, room, "VAR_TOO_LARGE", figures, shrink=self.shrink)
