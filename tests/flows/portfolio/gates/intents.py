"""Intents and standings as gates get them, with everything but what a test is about at a plain value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from flows.portfolio.gates.base import NO_RETURNS, Exposure, Figures, Gate, Intent, Named, Refusal, Standing
from flows.portfolio.memory import Memory
from schemas.config.instruments import Instrument
from tests.flows.portfolio.stories import settings, wish

Part = tuple[str, int, int, float]
"""Symbol, its column of returns, side, value."""


def an_intent(
    side: int = 1,
    price: float = 100.0,
    stop: float | None = None,
    target: float | None = None,
    *,
    quantity: float = 0.0,
    risk: float = 5.0,
    missing: int = 0,
    instrument: Instrument | None = None,
) -> Intent:
    """An entry at 100 with a stop 5 away."""
    signal = wish(1, "long" if side > 0 else "short", price, stop, target, missing=missing)
    given = Intent(signal, side, price, instrument or settings().instruments.default)
    given.quantity, given.risk, given.now = quantity, risk, signal.ts
    return given


def a_standing(
    equity: float = 10_000.0,
    gross: float = 0.0,
    positions: int = 0,
    held: int = 0,
    *,
    memory: Memory | None = None,
    vol: float = math.nan,
    exposures: Sequence[Part] = (),
    returns: Mapping[str, Sequence[float]] | None = None,
) -> Standing:
    """An account of 10,000 that holds nothing and remembers nothing."""
    return Standing(
        equity=equity,
        gross=gross or sum(value for *_, value in exposures),
        positions=positions,
        held=held,
        memory=memory or Memory(10_000.0, 60_000),
        vol=vol,
        returns=np.array(list(returns.values())).T if returns else NO_RETURNS,
        expose=lambda: exposed(exposures),
    )


def exposed(parts: Sequence[Part]) -> list[Exposure]:
    """As an account has them."""
    return [Exposure(symbol, slot, value, value * side) for symbol, slot, side, value in parts]


def ask(gate: type[Gate], intent: Intent, standing: Standing | None = None, **changes: Any) -> Named | Refusal:
    """What a gate says under some settings, written with ``__`` for the dot."""
    config = settings({key.replace("__", "."): value for key, value in changes.items()})
    verdict = gate(config).check(intent, standing or a_standing())
    return verdict.named() if isinstance(verdict, Figures) else verdict


def refused(verdict: Named | Figures | Refusal) -> tuple[str, Named]:
    """Code and figures of a verdict that must be a refusal."""
    assert isinstance(verdict, Refusal), verdict
    return verdict.code, verdict.named()
