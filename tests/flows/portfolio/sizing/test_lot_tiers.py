from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from flows.portfolio.sizing import SIZERS
from flows.portfolio.sizing.base import Ask, Sized
from flows.portfolio.sizing.lot_tiers import lot_tiers
from schemas.config.risk import LotTier, RiskConfig


def tiers(*pairs: tuple[str, str]) -> tuple[LotTier, ...]:
    return tuple(LotTier(equity=Decimal(equity), quantity=Decimal(quantity)) for equity, quantity in pairs)


@pytest.mark.parametrize(
    ("equity", "quantity", "tier"),
    [
        (999.99, 0.0, None),
        (1_000.0, 0.01, 1_000.0),
        (4_999.99, 0.01, 1_000.0),
        (5_000.0, 0.1, 5_000.0),
        (1e9, 0.5, 20_000.0),
    ],
)
def test_the_account_trades_the_lots_of_its_tier(equity: float, quantity: float, tier: float | None) -> None:
    config = RiskConfig(lot_tiers=tiers(("1000", "0.01"), ("5000", "0.1"), ("20000", "0.5")))
    assert lot_tiers(config, Ask(equity, 100.0, 5.0)) == Sized(quantity, {"tier": tier})


def test_tiers_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValidationError, match="the tier of 1000 stands behind that of 1000: equities must rise"):
        RiskConfig(lot_tiers=tiers(("1000", "0.01"), ("1000", "0.1")))


def test_it_is_the_rule_named_lot_tiers() -> None:
    assert SIZERS["lot_tiers"] is lot_tiers
