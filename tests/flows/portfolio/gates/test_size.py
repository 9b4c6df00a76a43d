from __future__ import annotations

import math
from typing import Any

import pytest

from flows.portfolio.gates.base import Refusal
from flows.portfolio.gates.size import Size
from flows.portfolio.memory import Memory
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


def test_the_volatility_of_a_candle_becomes_that_of_a_year() -> None:
    vol = 0.5 / math.sqrt(365 * 24 * 60)  # of 1-minute candles: 50 % in a year
    verdict = ask(Size, an_intent(), a_standing(vol=vol), risk__sizing="volatility_target", risk__target_vol_pct=20.0)
    assert verdict == {"equity": 10_000.0, "quantity": pytest.approx(40.0), "vol_pct": pytest.approx(50.0)}


def test_the_strategys_own_trades_size_by_kelly() -> None:
    memory = Memory(10_000.0, 60_000, kept=40)
    memory.trades = {"a": [2.0, -1.0] * 20, "b": [-1.0] * 40}
    verdict = ask(Size, an_intent(), a_standing(memory=memory), risk__sizing="kelly", risk__kelly_share=0.04)
    assert verdict == {"equity": 10_000.0, "quantity": 20.0, "trades": 40, "kelly_pct": 25.0, "risk_pct": 1.0}


def test_multipliers_make_smaller_one_after_the_other() -> None:
    intent = an_intent()
    intent.signal.confidence, intent.signal.values = 0.5, {"consensus": 9}
    rules: dict[str, Any] = {
        "risk__strategy_scale": {"a": 0.4},
        "risk__scale_by_confidence": True,
        "risk__scale_by_consensus": True,
    }
    verdict = ask(Size, intent, risk__quantity="10", **rules)
    assert verdict == {
        "equity": 10_000.0,
        "quantity": 2.0,
        "by_strategy": 0.4,
        "by_confidence": 0.5,
        "by_consensus": 1.0,
    }
    assert intent.quantity == 2.0


def test_a_rule_that_gives_nothing_refuses_and_says_on_what() -> None:
    verdict = ask(Size, an_intent(), risk__sizing="volatility_target")
    assert refused(verdict) == ("SIZE_ZERO", {"equity": 10_000.0, "quantity": 0.0, "vol_pct": None})
    assert isinstance(verdict, Refusal)
    assert verdict.message() == "SIZE_ZERO: equity=10000 quantity=0 vol_pct=None"


def test_no_confidence_at_all_is_no_size() -> None:
    intent = an_intent()
    intent.signal.confidence = 0.0
    verdict = ask(Size, intent, risk__scale_by_confidence=True)
    assert refused(verdict) == ("SIZE_ZERO", {"equity": 10_000.0, "quantity": 1.0, "by_confidence": 0.0})
