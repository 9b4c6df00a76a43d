"""Multiplier: some strategies trade smaller."""

from __future__ import annotations

from typing import Any

from schemas.config.risk import RiskConfig


def by_strategy(config: RiskConfig, signal: Any) -> float:
    """``risk.strategy_scale`` of the signal's strategy, as it is; 1 for one that is not named.

    A rule of this project's own: it shares out risk among strategies.
    """
    return config.strategy_scale.get(signal.strategy, 1.0)
