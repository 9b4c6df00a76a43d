from __future__ import annotations

import json
from pathlib import Path

import pytest

from sinks.state import read_state
from tests.sinks.run_folders import a_position, a_state, dumped


def test_open_positions_and_shadow_accounts_are_read(tmp_path: Path) -> None:
    still = a_position(1, "-0.1", status="open", exit_price=None, exit_ts=None, exit_leg=None)
    state = a_state(positions=dumped([still]), shadow={"s": a_state(equity=5.0)}, unknown=1)
    (tmp_path / "state.json").write_text(json.dumps(state))
    found = read_state(tmp_path)
    assert [p.entry_price for p in found.open_positions] == ["100"]
    assert found.shadow["s"].equity == 5.0
    assert found.peak is None


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    state = a_state()
    del state["drawdown"]
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(ValueError, match=r"state\.json: .*`drawdown`"):
        read_state(tmp_path)
