from __future__ import annotations

from pathlib import Path

import pytest

from sinks.report.run_file import read_run_file, settings, simulated_note


def test_a_run_without_the_file_has_no_settings(tmp_path: Path) -> None:
    assert settings(read_run_file(tmp_path)) == []


def test_a_torn_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"config": ')
    with pytest.raises(ValueError, match=r"run\.json: .*run the replay again"):
        read_run_file(tmp_path)
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"run\.json: holds a list"):
        read_run_file(tmp_path)


def test_only_a_note_of_an_input_makes_a_run_simulated() -> None:
    assert simulated_note({"note": "simulated", "inputs": [{"path": "simulated.csv"}]}) == ""
    assert simulated_note({"inputs": {"BTC/USDT": {"note": "SIMULATED, seed 1"}}}) == "SIMULATED, seed 1"
    assert simulated_note({}) == ""


def test_a_value_inside_a_free_mapping_has_the_origin_of_the_mapping() -> None:
    record = {
        "run": "a",
        "seconds": {"read": 0.1},
        "configuration": {
            "config": {"strategies": [{"params": {"fast": 20}}], "risk": {"x": None}},
            "origin": {"strategies.0.params": "--set", "risk.x": "penstock.yaml:3"},
        },
    }
    assert settings(record) == [
        ("run", "a", ""),
        ("strategies.0.params.fast", "20", "--set"),
        ("risk.x", "none", "penstock.yaml:3"),
    ]
