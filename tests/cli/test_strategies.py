from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def test_the_installed_strategies_are_listed_with_version_and_purpose(penstock: Run) -> None:
    lines = penstock("strategies", "list").out.splitlines()
    assert lines[0].split() == ["name", "version", "what", "it", "does"]
    assert [line.split()[0] for line in lines[1:]][:2] == ["sma_atr", "sma_cross"]
    assert "2.0.0    Long when the fast average crosses above the slow one" in lines[2]


def test_a_strategy_is_described_with_its_parameters(penstock: Run) -> None:
    result = penstock("strategies", "describe", "sma_cross")
    assert result.code == 0
    assert result.out.startswith("sma_cross 2.0.0 (flows.strategies.sma_cross:SmaCross)\n\nLong when the fast average")
    rows = [" ".join(line.split()) for line in result.out.splitlines()]
    assert "fast whole number 10 ≥ 1 length of the fast average, candles" in rows
    assert "stop_pct number 2.0 > 0, < 100 distance of the stop from the close; 1.0 = 1 %" in rows
    target = "distance of the target from the close (null: no target), distances of the stop"
    assert f"reward_to_risk number or null 2.0 > 0 {target}" in rows


def test_an_unknown_strategy_gets_a_suggestion(penstock: Run) -> None:
    result = penstock("strategies", "describe", "sma_cros")
    assert (result.code, result.err) == (
        2,
        "penstock: no strategy is named 'sma_cros'; did you mean sma_cross?\n",
    )
