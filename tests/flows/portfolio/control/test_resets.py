"""The record of a reset carries the figures of then, for every breaker."""

from __future__ import annotations

from typing import Any

import pytest

from flows.portfolio.control import BREAKERS
from tests.flows.portfolio.control.test_breakers import CASES, Case
from tests.flows.portfolio.control.test_commands import given, play
from tests.flows.portfolio.stories import BTC, at, flat

FIGURES: dict[str, dict[str, Any]] = {
    "drawdown": {"equity": 10199.0, "peak": 10240.0, "fall_pct": 100 * 41 / 10240},
    "daily_loss": {"equity": 9919.0, "began": 10000.0, "lost": 81.0, "lost_pct": 0.81},
    "consecutive_losses": {"losses": 3, "lost": 3.0},
    "losses": {"losses": 2, "window": "7m"},
    "slippage": {"mean_pct": pytest.approx(2.0), "fills": 2},
    "rejections": {"refused": 3, "decisions": 4},
    "stale_data": {},
    "order_rate": {"orders": 3, "window": "10m"},
}
"""A minute after the trip; of three losses one is as old as the window by then."""


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.minute and case.place[0] != "strategy"], ids=lambda case: str(case.breaker)
)
def test_a_reset_tells_what_the_breaker_measures_then(case: Case) -> None:
    rules = {f"breakers__{case.breaker}__{key}": value for key, value in case.rules.items()}
    rows = [row for row in case.rows if row.minute <= case.minute]
    price = next(row.close for row in reversed(rows) if row.symbol == BTC) - 1
    commands = [given(case.minute + 1.5, "reset", breaker=case.breaker)]
    _, outbox = play(commands, [*rows, *flat((case.minute + 1,), price)], case.wishes, **rules)
    (reset,) = (row for row in outbox["breakers"] if row.event == "CircuitBreakerReset")
    assert reset.figures == {"tripped_ts": at(case.minute), **FIGURES[case.breaker]}


def test_the_figures_of_every_breaker_are_told() -> None:
    assert {*FIGURES, "volatility", "divergence"} == {breaker.name for breaker in BREAKERS}
