"""Multiplier: the surer the strategy, the larger."""

from __future__ import annotations

from typing import Any

from schemas.config.risk import RiskConfig


def by_confidence(config: RiskConfig, signal: Any) -> float:  # noqa: ARG001
    """The signal's own ``confidence``, 0 to 1."""
    return float(signal.confidence)
