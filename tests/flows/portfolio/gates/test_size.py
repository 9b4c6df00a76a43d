from __future__ import annotations

import pytest

from flows.portfolio.gates.size import Size
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused


@pytest.mark.parametrize(
    ("sizing", "quantity"), [("risk", 20.0), ("fixed_quantity", 3.0), ("fixed_notional", 5.0)], ids=str
)
def test_the_rule_of_the_configuration_gives_the_quantity(sizing: str, quantity: float) -> None:
    intent = an_intent(price=100.0, risk=5.0)
    verdict = ask(Size, intent, risk__sizing=sizing, risk__per_trade_pct=1.0, risk__quantity="3", risk__notional="500")
    assert verdict == {"equity": 10_000.0, "quantity": quantity}
    assert intent.quantity == quantity


@pytest.mark.parametrize("equity", [0.0, -12.5])
@pytest.mark.parametrize("sizing", ["risk", "fixed_quantity", "fixed_notional"])
def test_an_account_without_equity_takes_no_position(equity: float, sizing: str) -> None:
    verdict = ask(Size, an_intent(), a_standing(equity=equity), risk__sizing=sizing)
    assert refused(verdict) == ("EQUITY_EXHAUSTED", {"equity": equity})
