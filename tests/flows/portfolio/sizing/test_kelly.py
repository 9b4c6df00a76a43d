from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.sizing import SIZERS
from flows.portfolio.sizing.base import Ask, Sized
from flows.portfolio.sizing.kelly import FALLBACKS, best_fraction, kelly
from schemas.config.risk import RiskConfig


def rules(**changes: Any) -> RiskConfig:
    return RiskConfig(sizing="kelly", kelly_min_trades=4, kelly_share=1.0, kelly_cap_pct=100.0, **changes)


def ask(*trades: float) -> Ask:
    """10,000 of equity, a stop 5 away."""
    return Ask(10_000.0, 100.0, 5.0, trades=trades)


@pytest.mark.parametrize(
    ("trades", "fraction"),
    [
        ((1.0, 1.0, 1.0, -1.0), 0.5),  # at even odds p - q
        ((2.0, -1.0), 0.25),  # p - q / b
        ((2.0, -0.5, -0.5), 1 / 3),  # p / l - q / w, where losses are half of what is at risk
        ((1.0, -1.0), 0.0),
        ((0.5, -1.0), -0.5),
        ((1.0, 0.0, -1.0, 1.0), 0.5),  # what comes to nothing has not won: it makes l one half
        ((1.0, 2.0), math.inf),
        ((-1.0, -2.0), -math.inf),
    ],
)
def test_the_fraction_is_kellys(trades: tuple[float, ...], fraction: float) -> None:
    assert best_fraction(trades) == pytest.approx(fraction, abs=1e-15)


@given(st.integers(1, 20), st.integers(1, 20), st.floats(0.1, 10), st.floats(0.1, 10))
def test_nothing_grows_faster_than_the_fraction(wins: int, losses: int, won: float, lost: float) -> None:
    fraction = best_fraction([won] * wins + [-lost] * losses)

    def growth(f: float) -> float:
        return wins * math.log1p(f * won) + losses * math.log1p(-f * lost)

    assert -1 / won < fraction < 1 / lost
    for other in (fraction - 0.01, fraction + 0.01):
        if -1 / won < other < 1 / lost:
            assert growth(other) < growth(fraction)


@pytest.mark.parametrize(
    ("changes", "quantity", "risk_pct"),
    [
        ({}, 500.0, 25.0),  # 2,500 of 10,000 over 5
        ({"kelly_share": 0.5}, 250.0, 12.5),
        ({"kelly_cap_pct": 2.0}, 40.0, 2.0),
    ],
    ids=["all of it", "half of it", "capped"],
)
def test_a_share_of_it_is_put_at_risk_up_to_the_cap(changes: dict[str, Any], quantity: float, risk_pct: float) -> None:
    config = rules().model_copy(update=changes)
    found = kelly(config, ask(2.0, -1.0, 2.0, -1.0))
    assert found == Sized(quantity, {"trades": 4, "kelly_pct": 25.0, "risk_pct": risk_pct})


def test_while_nothing_was_lost_the_cap_is_at_risk() -> None:
    found = kelly(rules().model_copy(update={"kelly_cap_pct": 3.0}), ask(1.0, 1.0, 1.0, 1.0))
    assert found == Sized(60.0, {"trades": 4, "kelly_pct": None, "risk_pct": 3.0})


@pytest.mark.parametrize(
    ("trades", "pct"), [((1.0, -1.0, 1.0, -1.0), 0.0), ((0.5, -1.0, 0.5, -1.0), -50.0), ((-1.0,) * 4, None)]
)
def test_without_an_edge_there_is_no_size(trades: tuple[float, ...], pct: float | None) -> None:
    assert kelly(rules(), ask(*trades)) == Sized(0.0, {"trades": 4, "kelly_pct": pct, "risk_pct": 0.0})


@pytest.mark.parametrize(("fallback", "quantity"), [("risk", 10.0), ("fixed_quantity", 3.0), ("fixed_notional", 5.0)])
def test_with_too_few_trades_the_fallback_sizes(fallback: str, quantity: float) -> None:
    config = rules(kelly_fallback=fallback, quantity=Decimal(3), notional=Decimal(500))
    assert kelly(config, ask(-1.0, -1.0, -1.0)) == Sized(quantity, {"trades": 3, "kelly_pct": None})


def test_the_fallbacks_are_the_rules_of_these_names() -> None:
    assert all(SIZERS[name] is rule for name, rule in FALLBACKS.items())
    assert SIZERS["kelly"] is kelly
