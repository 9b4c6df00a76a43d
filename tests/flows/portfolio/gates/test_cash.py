from __future__ import annotations

import pytest

from flows.portfolio.gates.cash import Cash
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused

RULES = {"portfolio__leverage": 2.0, "broker__fee_pct": 25.0}
"""A fee of a quarter, so that every figure is exact in binary."""
HELD = a_standing(equity=10_000.0, gross=10_000.0)


@pytest.mark.parametrize("over", ["shrink", "refuse"])
@pytest.mark.parametrize(("quantity", "needed"), [(1.0, 125.0), (80.0, 10_000.0)])
def test_what_equity_times_leverage_pays_with_its_fee_passes(quantity: float, needed: float, over: str) -> None:
    intent = an_intent(quantity=quantity)
    verdict = ask(Cash, intent, HELD, **RULES, risk__over_cap=over)
    assert verdict == {"needed": needed, "free": 10_000.0}
    assert intent.quantity == quantity


def test_what_cannot_be_paid_is_shrunk_to_what_can_with_the_fee() -> None:
    intent = an_intent(quantity=100.0)
    verdict = ask(Cash, intent, HELD, **RULES, risk__over_cap="shrink")
    assert verdict == {"needed": 12_500.0, "free": 10_000.0, "shrunk_to": 8_000.0}
    assert intent.quantity == 80.0


def test_what_cannot_be_paid_is_refused_where_the_configuration_says_so() -> None:
    verdict = ask(Cash, an_intent(quantity=100.0), HELD, **RULES, risk__over_cap="refuse")
    assert refused(verdict) == ("CASH_INSUFFICIENT", {"needed": 12_500.0, "free": 10_000.0})


@pytest.mark.parametrize(("gross", "free"), [(20_000.0, 0.0), (21_000.0, -1_000.0)])
def test_where_everything_is_bound_nothing_can_be_paid(gross: float, free: float) -> None:
    standing = a_standing(equity=10_000.0, gross=gross)
    verdict = ask(Cash, an_intent(quantity=1.0), standing, **RULES, risk__over_cap="shrink")
    assert refused(verdict) == ("CASH_INSUFFICIENT", {"needed": 125.0, "free": free})
