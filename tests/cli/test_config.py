import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_the_shown_configuration_is_a_file_to_start_from(penstock: Run, tmp_path: Path) -> None:
    shown = penstock("config", "show", "--set", "risk.per_trade_pct=0.25").out
    (tmp_path / "penstock.yaml").write_text(shown)
    assert penstock("config", "check").out == "penstock.yaml: no problems; strategies: sma_atr\n"
    origin = json.loads(penstock("config", "show", "--format", "json").out)["origin"]
    line = next(number for number, text in enumerate(shown.splitlines(), 1) if "per_trade_pct:" in text)
    assert origin["risk.per_trade_pct"] == f"penstock.yaml:{line}"


def test_the_default_strategy_is_shown_with_its_parameters(penstock: Run) -> None:
    config = json.loads(penstock("config", "show", "--format", "json").out)["config"]
    assert config["strategies"][0]["use"] == "sma_atr"
    assert {"fast", "slow"} <= set(config["strategies"][0]["params"])


def test_a_check_without_a_file_checks_the_defaults(penstock: Run) -> None:
    result = penstock("config", "check")
    assert (result.code, result.out) == (0, "the defaults: no problems; strategies: sma_atr\n")


def test_a_check_tells_every_mistake_with_its_place(penstock: Run, tmp_path: Path) -> None:
    strategies = "strategies:\n  - use: sma_cross\n    params: {fast: 0}\n"
    (tmp_path / "c.yaml").write_text(f"risk:\n  per_trade: 1\nbroker:\n  fee_pct: much\n{strategies}")
    result = penstock("config", "check", "--config", "c.yaml")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "penstock: 3 problems\n"
        "  c.yaml:2:3: risk.per_trade: unknown key; did you mean per_trade_pct?\n"
        "  c.yaml:4:12: broker.fee_pct: expected a number, got the text 'much' "
        "(of the filled value, each way; 0.05 = 0.05 %)\n"
        "  c.yaml:7:20: strategies.0.params.fast: has to be ≥ 1, got 0 (length of the fast average, candles)\n"
    )


def test_the_parameters_of_strategies_are_checked_with_their_place(penstock: Run, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("strategies:\n  - use: sma_cross\n    params:\n      fst: 5\n      slow: x\n")
    result = penstock("config", "check", "--config", "c.yaml")
    assert result.code == 2
    assert "c.yaml:4:7: strategies.0.params.fst: unknown key; did you mean fast?" in result.err
    assert "c.yaml:5:13: strategies.0.params.slow: expected a whole number, got the text 'x'" in result.err


def test_the_environment_is_taken_into_account(penstock: Run) -> None:
    result = penstock("config", "check", PENSTOCK__RISK__SIZING="al")
    assert result.code == 2
    assert result.err.startswith("penstock: env PENSTOCK__RISK__SIZING: risk.sizing: expected 'risk' or")
