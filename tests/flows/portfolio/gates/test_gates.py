from __future__ import annotations

from flows.portfolio.gates import GATES
from tests.flows.portfolio.stories import checked, flat, settings, trade, wish


def test_the_gates_are_asked_in_this_order() -> None:
    assert [gate.name for gate in GATES] == [
        "trading_state",
        "strategy_mode",
        "stale_data",
        "spread",
        "session",
        "duplicate_intent",
        "cooldown",
        "confidence",
        "stop",
        "reward_to_risk",
        "size",
        "leverage",
        "symbol_exposure",
        "group_exposure",
        "gross_exposure",
        "net_exposure",
        "position_size",
        "risk",
        "open_positions",
        "order_rate",
        "daily_loss",
        "lifetime_loss",
        "var",
        "cash",
        "minimum",
    ]


def test_every_gate_is_named_for_its_file() -> None:
    assert {gate.name: gate.__module__.rpartition(".")[2] for gate in GATES} == {g.name: g.name for g in GATES}


def test_an_order_tells_the_figures_of_every_gate_in_the_order_in_which_they_were_asked() -> None:
    wishes = [wish(1, "long", 100.0, 95.0, 110.0)]
    _, outbox = trade(settings({"broker.fee_pct": 0.1, "portfolio.leverage": 2}), flat((1, 2), 100.0), wishes)
    checks = checked(outbox["orders"][0])
    assert list(checks) == [gate.name for gate in GATES if gate.wanted(settings())]
    assert checks == {
        "stale_data": {"missing": 0},
        "duplicate_intent": {"held": 0},
        "stop": {"stop": 95.0},
        "reward_to_risk": {"ratio": 2.0, "least": 0.0},
        "size": {"equity": 10_000.0, "quantity": 1.0},
        "gross_exposure": {"gross": 0.0, "notional": 100.0, "most": 1e11},
        "position_size": {"notional": 100.0, "most": 1e11},
        "risk": {"risk": 5.0, "most": 10_000.0},
        "open_positions": {"open": 0, "most": 10},
        "cash": {"needed": 100.0 * (1 + 0.1 / 100), "free": 20_000.0},
        "minimum": {"quantity": 1.0, "notional": 100.0},
    }


def test_the_first_gate_that_refuses_is_the_one_that_is_told() -> None:
    wishes = [wish(1, "long", 100.0, None, 90.0, missing=3)]
    _, outbox = trade(settings({"market.empty_candle": "stale"}), flat((1, 2), 100.0), wishes)
    assert [(row.gate, row.code) for row in outbox["rejections"]] == [("stale_data", "DATA_STALE")]
    _, outbox = trade(settings(), flat((1, 2), 100.0), wishes)
    assert [(row.gate, row.code) for row in outbox["rejections"]] == [("stop", "STOP_MISSING")]
