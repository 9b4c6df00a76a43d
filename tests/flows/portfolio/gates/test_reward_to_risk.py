from __future__ import annotations

from decimal import Decimal

import pytest

from flows.portfolio.gates.base import Named, Refusal
from flows.portfolio.gates.reward_to_risk import RewardToRisk
from tests.flows.portfolio.gates.intents import an_intent, ask, refused


def check(side: int, target: float | None, least: float, risk: float = 5.0) -> Named | Refusal:
    intent = an_intent(side, risk=risk)
    intent.target = None if target is None else Decimal(str(target))
    return ask(RewardToRisk, intent, risk__min_reward_to_risk=least)


@pytest.mark.parametrize(("side", "target"), [(1, 109.99), (-1, 90.01)])
def test_a_target_nearer_than_the_minimum_is_refused(side: int, target: float) -> None:
    code, figures = refused(check(side, target, 2.0))
    assert code == "REWARD_TOO_SMALL"
    assert figures == {"ratio": pytest.approx(1.998, abs=1e-12), "least": 2.0}


@pytest.mark.parametrize(("side", "target", "ratio"), [(1, 110.0, 2.0), (-1, 90.0, 2.0), (1, 120.0, 4.0)])
def test_a_target_exactly_at_the_minimum_or_beyond_it_passes(side: int, target: float, ratio: float) -> None:
    assert check(side, target, 2.0) == {"ratio": ratio, "least": 2.0}


def test_a_rounding_error_short_of_the_minimum_passes() -> None:
    intent = an_intent(price=1.1, risk=1.1 - 1.0)
    intent.target = Decimal("1.2")
    short = (1.2 - 1.1) / (1.1 - 1.0)
    assert short < 1.0
    assert ask(RewardToRisk, intent, risk__min_reward_to_risk=1.0) == {"ratio": short, "least": 1.0}


def test_a_minimum_of_zero_lets_every_target_through() -> None:
    assert check(1, 100.01, 0.0, risk=50.0) == {"ratio": pytest.approx(0.0002), "least": 0.0}


def test_without_a_target_there_is_no_rule() -> None:
    assert check(1, None, 3.0) == {"ratio": None}
