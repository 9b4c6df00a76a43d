from __future__ import annotations

from decimal import Decimal

import pytest

from flows.portfolio.sizing import SIZERS
from flows.portfolio.sizing.base import Ask, Sized
from flows.portfolio.sizing.fixed_quantity import fixed_quantity
from schemas.config.risk import RiskConfig


@pytest.mark.parametrize(("equity", "price", "distance"), [(10_000.0, 100.0, 5.0), (1.0, 60_000.0, 0.01)])
def test_the_quantity_is_the_same_whatever_the_account_and_the_price(
    equity: float, price: float, distance: float
) -> None:
    assert fixed_quantity(RiskConfig(quantity=Decimal("0.25")), Ask(equity, price, distance)) == Sized(0.25)


def test_it_is_the_rule_named_fixed_quantity() -> None:
    assert SIZERS["fixed_quantity"] is fixed_quantity
