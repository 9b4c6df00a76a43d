from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def race(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("race")


@pytest.fixture
def trade(race: Any) -> Any:
    return race.Trade(60_000, 120_000, "long", 1.0, 100.0, 101.0, 0.9, 0.1)


def test_equal_trades_have_no_difference(race: Any, trade: Any) -> None:
    assert race.difference([trade, trade], [trade, trade]) is None


@pytest.mark.parametrize(
    "change", [{"entry_time": 0}, {"exit_time": 180_000}, {"side": "short"}, {"quantity": 1.0000000001}]
)
def test_times_sides_and_quantities_must_be_the_same_exactly(race: Any, trade: Any, change: dict[str, Any]) -> None:
    assert race.difference([trade, trade], [trade, replace(trade, **change)]).startswith("trade 1: ")


@pytest.mark.parametrize("name", ["entry_price", "exit_price", "pnl", "fees"])
def test_money_may_differ_by_a_billionth_of_it_and_no_more(race: Any, trade: Any, name: str) -> None:
    value = getattr(trade, name)
    assert race.difference([trade], [replace(trade, **{name: value * (1 + 5e-10)})]) is None
    assert race.difference([trade], [replace(trade, **{name: value * (1 + 2e-9)})]).startswith(f"trade 0: {name} ")


def test_a_missing_trade_is_a_difference(race: Any, trade: Any) -> None:
    assert race.difference([trade, trade], [trade]) == "2 trades against 1"
