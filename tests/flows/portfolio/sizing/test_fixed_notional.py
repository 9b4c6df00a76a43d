from __future__ import annotations

from decimal import Decimal

import pytest

from flows.portfolio.sizing import SIZERS
from flows.portfolio.sizing.base import Ask, Sized
from flows.portfolio.sizing.fixed_notional import fixed_notional
from schemas.config.risk import RiskConfig


@pytest.mark.parametrize(
    ("equity", "price", "distance", "quantity"),
    [(10_000.0, 100.0, 5.0, 5.0), (1.0, 100.0, 0.01, 5.0), (10_000.0, 40_000.0, 5.0, 0.0125)],
)
def test_the_value_is_the_same_whatever_the_account_and_the_stop(
    equity: float, price: float, distance: float, quantity: float
) -> None:
    assert fixed_notional(RiskConfig(notional=Decimal(500)), Ask(equity, price, distance)) == Sized(quantity)


def test_it_is_the_rule_named_fixed_notional() -> None:
    assert SIZERS["fixed_notional"] is fixed_notional
