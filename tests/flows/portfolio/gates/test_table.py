"""Each gate at its limit and past it, with the exact figures that it decided on."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, NamedTuple

import pytest

from flows.portfolio.gates.base import Gate, Intent, Named, Standing
from flows.portfolio.gates.confidence import Confidence
from flows.portfolio.gates.cooldown import Cooldown
from flows.portfolio.gates.daily_loss import DailyLoss
from flows.portfolio.gates.group_exposure import GroupExposure
from flows.portfolio.gates.leverage import Leverage
from flows.portfolio.gates.lifetime_loss import LifetimeLoss
from flows.portfolio.gates.net_exposure import NetExposure
from flows.portfolio.gates.order_rate import OrderRate
from flows.portfolio.gates.risk import Risk
from flows.portfolio.gates.session import Session
from flows.portfolio.gates.symbol_exposure import SymbolExposure
from flows.portfolio.gates.var import ValueAtRisk
from flows.portfolio.memory import Memory
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused
from tests.flows.portfolio.stories import BTC, ETH, SOL, at, settings

SECOND = 1_000
HELD = (
    (BTC, 0, 1, 1_000.0),
    (ETH, 1, -1, 500.0),
    (ETH, 1, -1, -200.0),
    (SOL, 2, 1, 400.0),
)
"""1,000 long in BTC; 300 short in ETH, an exit of 200 being on its way; 400 long in SOL."""


def sized(quantity: float, side: int = 1) -> Intent:
    """Some units of BTC at 100, with a stop 5 away."""
    return an_intent(side, quantity=quantity)


def sure(confidence: float) -> Intent:
    intent = an_intent()
    intent.signal.confidence = confidence
    return intent


def holding() -> Standing:
    return a_standing(exposures=HELD)


def remembering(exits: dict[tuple[str, str], int], entries: tuple[int, ...] = (), day: float = 10_000.0) -> Memory:
    memory = Memory(day, 60_000)
    memory.exits.update(exits)
    for ts in entries:
        memory.entered(ts, "", 0.0)
    return memory


class Case(NamedTuple):
    """A gate under a setting: what it says, or refuses with; and the quantity when it shrinks."""

    gate: type[Gate]
    rules: dict[str, Any]
    intent: Intent
    standing: Standing
    figures: Named
    code: str | None = None
    quantity: Any = None


TWO_DEVIATIONS = NormalDist().cdf(2.0)
VAR = {"risk__var_min_samples": 3, "risk__var_sample": "1h", "risk__var_horizon": "4h"}
REFUSE = {"risk__over_cap": "refuse"}
CASES = [
    Case(Confidence, {"risk__min_confidence": 0.6}, sure(0.6), a_standing(), {"confidence": 0.6, "least": 0.6}),
    Case(
        Confidence,
        {"risk__min_confidence": 0.6},
        sure(0.59),
        a_standing(),
        {"confidence": 0.59, "least": 0.6},
        "CONFIDENCE_TOO_LOW",
    ),
    Case(Cooldown, {"risk__cooldown": "5m"}, an_intent(), a_standing(), {"since_exit_ms": None}),
    Case(  # the signal is of minute 1
        Cooldown,
        {"risk__cooldown": "1m"},
        an_intent(),
        a_standing(memory=remembering({(BTC, "a"): at(0)})),
        {"since_exit_ms": 60_000, "least_ms": 60_000},
    ),
    Case(
        Cooldown,
        {"risk__cooldown": "2m"},
        an_intent(),
        a_standing(memory=remembering({(BTC, "a"): at(0)})),
        {"since_exit_ms": 60_000, "least_ms": 120_000},
        "COOLDOWN_ACTIVE",
    ),
    Case(  # another strategy, another symbol
        Cooldown,
        {"risk__cooldown": "2m"},
        an_intent(),
        a_standing(memory=remembering({(BTC, "b"): at(0), (ETH, "a"): at(0)})),
        {"since_exit_ms": None},
    ),
    Case(Session, {"risk__sessions": ["sat 00:00-00:02"]}, an_intent(), a_standing(), {"at": "sat 00:01"}),
    Case(
        Session,
        {"risk__sessions": ["sat 00:00-00:01", "mon-fri 00:00-24:00"]},
        an_intent(),
        a_standing(),
        {"at": "sat 00:01"},
        "SESSION_CLOSED",
    ),
    Case(Leverage, {"risk__max_leverage": 0.5}, sized(33), holding(), {"leverage": 0.5, "most": 0.5}, None, 33),
    Case(
        Leverage,
        {"risk__max_leverage": 0.5},
        sized(83),
        holding(),
        {"leverage": 1.0, "most": 0.5, "shrunk_to": 3_300.0},
        None,
        33,
    ),
    Case(
        Leverage,
        {"risk__max_leverage": 0.5, **REFUSE},
        sized(83),
        holding(),
        {"leverage": 1.0, "most": 0.5},
        "LEVERAGE_TOO_HIGH",
    ),
    Case(
        SymbolExposure,
        {"risk__max_symbol_exposure_pct": 25.0},
        sized(20),
        holding(),
        {"held": 1_000.0, "notional": 2_000.0, "most": 2_500.0, "shrunk_to": 1_500.0},
        None,
        15,
    ),
    Case(
        SymbolExposure,
        {"risk__max_symbol_exposure_pct": 10.0},
        sized(1),
        holding(),
        {"held": 1_000.0, "notional": 100.0, "most": 1_000.0},
        "SYMBOL_TOO_LARGE",
    ),
    Case(GroupExposure, {"risk__groups": {"alts": [ETH, SOL]}}, sized(1), holding(), {"group": None}, None, 1),
    Case(  # a short counts like a long; of two groups the fuller one
        GroupExposure,
        {"risk__groups": {"one": [BTC, ETH], "two": [BTC, SOL]}, "risk__max_group_exposure_pct": 15.0},
        sized(3),
        holding(),
        {"group": "two", "held": 1_400.0, "notional": 300.0, "most": 1_500.0, "shrunk_to": 100.0},
        None,
        1,
    ),
    Case(
        GroupExposure,
        {"risk__groups": {"one": [BTC, ETH]}, "risk__max_group_exposure_pct": 13.0},
        sized(1),
        holding(),
        {"group": "one", "held": 1_300.0, "notional": 100.0, "most": 1_300.0},
        "GROUP_TOO_LARGE",
    ),
    Case(
        NetExposure,
        {"risk__max_net_exposure_pct": 12.0},
        sized(3),
        holding(),
        {"net": 1_100.0, "notional": 300.0, "most": 1_200.0, "shrunk_to": 100.0},
        None,
        1,
    ),
    Case(  # a short has all the room down to the other end
        NetExposure,
        {"risk__max_net_exposure_pct": 12.0},
        sized(23, -1),
        holding(),
        {"net": 1_100.0, "notional": -2_300.0, "most": 1_200.0},
        None,
        23,
    ),
    Case(
        NetExposure,
        {"risk__max_net_exposure_pct": 10.0},
        sized(1),
        holding(),
        {"net": 1_100.0, "notional": 100.0, "most": 1_000.0},
        "NET_TOO_LARGE",
    ),
    Case(Risk, {"risk__max_risk_pct": 2.0}, sized(40), a_standing(), {"risk": 200.0, "most": 200.0}, None, 40),
    Case(
        Risk,
        {"risk__max_risk_pct": 2.0},
        sized(80),
        a_standing(),
        {"risk": 400.0, "most": 200.0, "shrunk_to": 4_000.0},
        None,
        40,
    ),
    Case(
        Risk,
        {"risk__max_risk_pct": 2.0, **REFUSE},
        sized(80),
        a_standing(),
        {"risk": 400.0, "most": 200.0},
        "RISK_TOO_LARGE",
    ),
    Case(  # one at the edge of the window counts no more
        OrderRate,
        {"risk__max_orders": 2},
        an_intent(),
        a_standing(memory=remembering({}, (at(0), at(0) + SECOND))),
        {"orders": 1, "most": 2},
    ),
    Case(
        OrderRate,
        {"risk__max_orders": 2},
        an_intent(),
        a_standing(memory=remembering({}, (at(0) + SECOND, at(1)))),
        {"orders": 2, "most": 2},
        "ORDERS_TOO_MANY",
    ),
    Case(
        DailyLoss,
        {"risk__max_daily_loss_pct": 2.5},
        an_intent(),
        a_standing(19_501.0, memory=remembering({}, day=20_000.0)),
        {"lost": 499.0, "most": 500.0},
    ),
    Case(
        DailyLoss,
        {"risk__max_daily_loss_pct": 2.5},
        an_intent(),
        a_standing(19_500.0, memory=remembering({}, day=20_000.0)),
        {"lost": 500.0, "most": 500.0},
        "LOSS_DAILY",
    ),
    Case(
        LifetimeLoss,
        {"risk__max_lifetime_loss_pct": 50.0},
        an_intent(),
        a_standing(5_000.5),
        {"lost": 4_999.5, "most": 5_000.0},
    ),
    Case(  # long 1,000 of what fell by 4 % and 40 of a unit: one sample of three, over four hours
        ValueAtRisk,
        {"risk__max_var_pct": 1.0, **VAR},
        sized(5),
        a_standing(exposures=[(BTC, 0, 1, 1_000.0)], returns={BTC: (0.01, -0.04, 0.02)}),
        {"var": 120.0, "most": 100.0, "samples": 3, "shrunk_to": 250.0},
        None,
        2.5,
    ),
    Case(
        ValueAtRisk,
        {"risk__max_var_pct": 1.2, **VAR},
        sized(5),
        a_standing(exposures=[(BTC, 0, 1, 1_000.0)], returns={BTC: (0.01, -0.04, 0.02)}),
        {"var": 120.0, "most": 120.0, "samples": 3},
        None,
        5,
    ),
    Case(  # what is held short in another symbol gains when this one loses
        ValueAtRisk,
        {"risk__max_var_pct": 1.0, **VAR},
        sized(10),
        a_standing(
            exposures=((ETH, 1, -1, 500.0), (ETH, 1, -1, -100.0)),
            returns={BTC: (0.01, -0.04, 0.02), ETH: (0.0, -0.1, 0.0)},
        ),
        {"var": 0.0, "most": 100.0, "samples": 3},
        None,
        10,
    ),
    Case(
        ValueAtRisk,
        {"risk__max_var_pct": 1.0, **VAR, **REFUSE},
        sized(5, -1),
        a_standing(returns={BTC: (0.01, -0.04, 0.2)}),
        {"var": 200.0, "most": 100.0, "samples": 3},
        "VAR_TOO_LARGE",
    ),
    Case(  # held already: more than the limit
        ValueAtRisk,
        {"risk__max_var_pct": 0.5, **VAR},
        sized(1),
        a_standing(exposures=[(BTC, 0, 1, 1_000.0)], returns={BTC: (0.01, -0.04, 0.02)}),
        {"var": 88.0, "most": 50.0, "samples": 3},
        "VAR_TOO_LARGE",
    ),
    Case(  # two deviations of 3 %, twice that over four hours
        ValueAtRisk,
        {"risk__max_var_pct": 0.5, **VAR, "risk__var_method": "parametric", "risk__var_level": TWO_DEVIATIONS},
        sized(10),
        a_standing(returns={BTC: (0.03, -0.03, 0.03)}),
        {"var": pytest.approx(120.0), "most": 50.0, "samples": 3, "shrunk_to": pytest.approx(1_250 / 3)},
        None,
        pytest.approx(12.5 / 3),
    ),
    Case(
        ValueAtRisk,
        {"risk__max_var_pct": 1.0, **VAR, "risk__var_min_samples": 4},
        sized(1),
        a_standing(returns={BTC: (0.01, -0.04, 0.02)}),
        {"samples": 3, "least": 4},
        "VAR_UNKNOWN",
    ),
    Case(
        LifetimeLoss,
        {"risk__max_lifetime_loss_pct": 50.0},
        an_intent(),
        a_standing(5_000.0),
        {"lost": 5_000.0, "most": 5_000.0},
        "LOSS_LIFETIME",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.gate.name}-{case.code or case.figures}")
def test_a_gate_says_these_figures(case: Case) -> None:
    verdict = ask(case.gate, case.intent, case.standing, **case.rules)
    if case.code:
        assert refused(verdict) == (case.code, case.figures)
    else:
        assert verdict == case.figures
    if case.quantity is not None:
        assert case.intent.quantity == case.quantity


@pytest.mark.parametrize("gate", dict.fromkeys(case.gate for case in CASES if case.gate is not Risk))
def test_a_gate_without_its_limit_is_not_there(gate: type[Gate]) -> None:
    assert not gate.wanted(settings())
    rules = next(case.rules for case in CASES if case.gate is gate)
    assert gate.wanted(settings({key.replace("__", "."): value for key, value in rules.items()}))
