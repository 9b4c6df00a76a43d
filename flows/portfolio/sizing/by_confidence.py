"""Multiplier: the surer the strategy, the larger."""

from __future__ import annotations

from typing import Any

from schemas.config.risk import RiskConfig


def by_confidence(config: RiskConfig, signal: Any) -> float | None:
    """The signal's own ``confidence``, 0 to 1, with ``risk.scale_by_confidence``."""
    return float(signal.confidence) if config.scale_by_confidence else None
