"""Multiplier: the more agree, the larger."""

from __future__ import annotations

from typing import Any

from flows.portfolio.control.base import MANUAL
from schemas.config.risk import RiskConfig

MOST = 9


def by_consensus(config: RiskConfig, signal: Any) -> float:  # noqa: ARG001
    """``0.2 + 0.8 × consensus / 9``: a straight line from 0.2 to 1.0, a rule of this project's own.

    ``consensus`` is one of the signal's ``values``, by convention 0 (nobody agrees) to 9 (all do); what lies outside
    counts as the nearer of both, and a signal that does not say it (or says no number) counts as 0. What a person wants
    is no signal of many: it is not cut, a factor of 1.
    """
    if signal.strategy == MANUAL:
        return 1.0
    said = signal.values.get("consensus")
    votes = said if isinstance(said, (int, float)) and said == said else 0.0
    return 0.2 + 0.8 * min(max(votes, 0.0), MOST) / MOST
