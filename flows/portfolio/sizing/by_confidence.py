"""Multiplier: the surer the strategy, the larger."""

from __future__ import annotations

from typing import Any

from schemas.config.risk import RiskConfig


def by_confidence(config: RiskConfig, signal: Any) -> float:  # noqa: ARG001
    """``confidence``: the signal's own, 0 to 1, as it is; a rule of this project's own. By hand it is 1."""
    return float(signal.confidence)
