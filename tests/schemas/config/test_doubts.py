"""Settings that are right one by one and together are not what somebody meant."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.config.doubts import doubts
from schemas.config.root import Config


@pytest.mark.parametrize(
    ("settings", "doubt"),
    [
        (
            {"risk": {"sizing": "kelly", "kelly_min_trades": 30, "kelly_trades": 20}},
            "risk.kelly_min_trades: 30 are more than the 20 of risk.kelly_trades: kelly_fallback sizes all entries",
        ),
        (
            {"risk": {"max_var_pct": 2, "var_min_samples": 600}},
            "risk.var_min_samples: 600 are more than the 500 of risk.var_window: every entry is refused",
        ),
        (
            {"risk": {"strategy_scale": {"sma_atr": 0.5, "manual": 0.5, "sma": 0.5}}},
            "risk.strategy_scale.sma: no strategy has this name: they are manual, sma_atr",
        ),
        ({"breakers": {"drawdown": {"action": "close"}}}, "breakers.drawdown: without max_pct it is off"),
        ({"breakers": {"order_rate": {"window": "5m"}}}, "breakers.order_rate: without most it is off"),
        (
            {"exits": {"break_even_after": 2, "ladder": [{"share_pct": 50, "at": 1}]}},
            "exits.break_even_after: targets before the last one: 1: no stop is moved by it",
        ),
        (
            {"strategies": [{"use": "sma_atr", "exits": {"break_even_after": 1}}]},
            "strategies.0.exits.break_even_after: targets before the last one: 0: no stop is moved by it",
        ),
    ],
)
def test_what_nobody_means_is_told(settings: dict[str, Any], doubt: str) -> None:
    assert doubts(Config.model_validate(settings)) == [doubt]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"breakers": {"drawdown": {"max_pct": 3, "action": "close"}, "order_rate": {"most": 3, "window": "5m"}}},
        {"risk": {"max_var_pct": 2}},
        {"exits": {"break_even_after": 1, "dual": {"stop_money": 20}}},
        {"risk": {"sizing": "lot_tiers", "lot_tiers": [{"equity": 0, "quantity": 1}]}},
    ],
)
def test_what_does_something_is_not_doubted(settings: dict[str, Any]) -> None:
    assert doubts(Config.model_validate(settings)) == []
