from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.sizing import SIZERS
from flows.portfolio.sizing.base import Ask, Sized
from flows.portfolio.sizing.volatility_target import volatility_target
from schemas.config.risk import RiskConfig


@pytest.mark.parametrize(
    ("target", "equity", "price", "vol", "quantity"),
    [(10.0, 10_000.0, 100.0, 0.5, 20.0), (40.0, 10_000.0, 100.0, 0.5, 80.0), (10.0, 50_000.0, 20_000.0, 1.0, 0.25)],
)
def test_the_position_moves_by_the_target_in_a_year(
    target: float, equity: float, price: float, vol: float, quantity: float
) -> None:
    found = volatility_target(RiskConfig(target_vol_pct=target), Ask(equity, price, 5.0, vol))
    assert found == Sized(quantity, {"vol_pct": 100 * vol})


@pytest.mark.parametrize(("vol", "shown"), [(math.nan, None), (0.0, 0.0)], ids=["not known yet", "nothing moves"])
def test_without_a_volatility_there_is_no_size(vol: float, shown: float | None) -> None:
    assert volatility_target(RiskConfig(), Ask(10_000.0, 100.0, 5.0, vol)) == Sized(0.0, {"vol_pct": shown})


@given(st.floats(0.1, 500), st.floats(1, 1e9), st.floats(1e-3, 1e6), st.floats(1e-4, 50))
def test_what_a_move_of_one_volatility_costs_is_the_target(
    target: float, equity: float, price: float, vol: float
) -> None:
    quantity = volatility_target(RiskConfig(target_vol_pct=target), Ask(equity, price, 1.0, vol)).quantity
    assert quantity * price * vol == pytest.approx(equity * target / 100)


def test_it_is_the_rule_named_volatility_target() -> None:
    assert SIZERS["volatility_target"] is volatility_target
