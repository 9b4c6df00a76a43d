"""Random markets under one sizing rule, or Value at Risk, with nothing else in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from flows.portfolio.stage import PortfolioStage
from tests.flows.portfolio.audit import Audit
from tests.flows.portfolio.markets import Market, markets
from tests.flows.portfolio.stories import PLAIN

BIG = [HealthCheck.too_slow, HealthCheck.data_too_large]
random = settings(deadline=None, max_examples=30, suppress_health_check=BIG)
FREE: dict[str, Any] = {
    **PLAIN,
    "portfolio.cash": "1000000",
    "instruments.default.lot": "0.00000001",
    "risk.over_cap": "shrink",
    "risk.max_open_positions": 10,
    "risk.kelly_min_trades": 1,
    "risk.kelly_trades": 3,
    "risk.kelly_cap_pct": 100.0,
    "risk.target_vol_pct": 100.0,
    "risk.vol_span": 2,
    "risk.var_sample": "1m",
    "risk.var_window": 3,
    "risk.var_min_samples": 1,
}


def audited(market: Market, **rules: Any) -> None:
    """Every promise, at every instant."""
    changes = {**FREE, **{f"risk.{key}": value for key, value in rules.items()}}
    market = replace(market, changes=changes)
    config = market.config()
    stage, audit = PortfolioStage(config), Audit(config)
    for minute, part in zip(market.minutes, market.by_instant(), strict=False):
        audit.instant([row for row in market.rows if row.minute == minute], stage.step(part))
        audit.agrees(stage.live.state())


@pytest.mark.parametrize("sizing", ["risk", "fixed_quantity", "fixed_notional", "volatility_target", "kelly"])
def test_no_trade_is_larger_than_its_rule_allows(sizing: str) -> None:
    random(given(markets())(lambda market: audited(market, sizing=sizing, strategy_scale={"a": 0.3})))()


@pytest.mark.parametrize("method", ["historical", "parametric"])
def test_no_entry_takes_the_value_at_risk_past_its_limit(method: str) -> None:
    rules = {"max_var_pct": 1.0, "var_method": method, "var_level": 0.6, "quantity": "10000"}
    random(given(markets())(lambda market: audited(market, **rules)))()
