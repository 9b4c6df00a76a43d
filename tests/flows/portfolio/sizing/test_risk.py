from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.sizing import SIZERS
from flows.portfolio.sizing.base import Ask, Sized
from flows.portfolio.sizing.risk import risk
from schemas.config.risk import RiskConfig


@pytest.mark.parametrize(
    ("pct", "equity", "price", "distance", "quantity"),
    [(1.0, 10_000.0, 100.0, 5.0, 20.0), (0.5, 10_000.0, 100.0, 5.0, 10.0), (2.0, 50_000.0, 8.0, 0.25, 4_000.0)],
)
def test_the_quantity_loses_the_share_of_equity_when_the_stop_is_hit(
    pct: float, equity: float, price: float, distance: float, quantity: float
) -> None:
    assert risk(RiskConfig(per_trade_pct=pct), Ask(equity, price, distance)) == Sized(quantity)


@given(
    st.floats(min_value=0.01, max_value=100),
    st.floats(min_value=1, max_value=1e9),
    st.floats(min_value=1e-6, max_value=1e6),
)
def test_the_loss_at_the_stop_is_the_share_whatever_the_price(pct: float, equity: float, distance: float) -> None:
    config = RiskConfig(per_trade_pct=pct)
    for price in (1.0, 77.0, 1e5):
        assert risk(config, Ask(equity, price, distance)).quantity * distance == pytest.approx(equity * pct / 100)


def test_it_is_the_rule_named_risk_and_the_default() -> None:
    assert SIZERS[RiskConfig().sizing] is risk
