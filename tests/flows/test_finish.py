from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import flows.finish
from connectors.candle_file import CandleSeries, read_candles
from flows.cluster import run_here
from flows.finish import accepted, finish
from flows.plan import Plan, make_plan
from flows.timing import Timing
from schemas.config.load import load
from schemas.summary import Summary
from sinks.run_folder import Workspace
from tests.command import MINUTE, START, candles, csv_lines, write_csv
from tests.replaying import records, run_json

SETS = ("strategies.0.use=sma_cross", "strategies.0.params={fast: 3, slow: 8}")
Ran = tuple[Plan, Workspace, dict[str, CandleSeries]]


def ran(folder: Path, *sets: str) -> Ran:
    """A run whose dataflow has ended, and that is not finished."""
    path = write_csv(folder / "BTC_USDT-1m.csv", candles(300))
    plan, series = make_plan([path], None, load(None, {}, [*SETS, *sets]).config, "1")
    workspace = Workspace(folder / "run", list(plan.shards))
    workspace.begin(plan.model_dump_json(), overwrite=False)
    run_here(plan, workspace, Timing(), series, workers=1)
    return plan, workspace, series


def finished(run: Ran) -> Summary:
    plan, workspace, series = run
    return finish(plan, workspace, series, Timing(), {"config": {}, "origin": {}}, {"workers": 1, "processes": 1})


def test_the_run_folder_appears_whole_and_the_workspace_is_gone(tmp_path: Path) -> None:
    run = ran(tmp_path)
    assert not (tmp_path / "run").exists()
    summary = finished(run)
    assert {path.name for path in tmp_path.iterdir()} == {"BTC_USDT-1m.csv", "run"}
    told = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert Summary.model_validate(told) == summary
    assert (tmp_path / "run" / "summary.html").stat().st_size > 10_000
    assert records(tmp_path / "run", "events")[-1]["figures"]["trades"] == summary.account.trades.trades > 10


def test_the_state_is_that_of_the_last_instant(tmp_path: Path) -> None:
    finished(ran(tmp_path, "run.html=false"))
    state = json.loads((tmp_path / "run" / "state.json").read_text())
    assert (state["first_ts"], state["last_ts"], state["instants"]) == (START + MINUTE, START + 300 * MINUTE, 300)
    assert not (tmp_path / "run" / "summary.html").exists()


def test_run_json_tells_where_the_time_went_with_the_report_and_without_it(tmp_path: Path) -> None:
    for name, html in (("with", True), ("without", False)):
        (tmp_path / name).mkdir()
        finished(ran(tmp_path / name, f"run.html={str(html).lower()}"))
        phases = run_json(tmp_path / name / "run")["seconds"]
        assert set(phases) == {"gather", "summary", *(["report"] if html else [])}
        assert all(seconds >= 0 for seconds in phases.values())


def test_a_run_that_fails_while_it_is_finished_is_not_there_and_can_be_finished_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ran(tmp_path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(flows.finish, "write_report", full)
        with pytest.raises(OSError, match="No space left"):
            finished(run)
    assert not (tmp_path / "run").exists()
    assert (tmp_path / "run.partial" / "plan.json").exists()
    finished(run)
    assert (tmp_path / "run" / "summary.html").exists()
    assert not (tmp_path / "run.partial").exists()


def test_only_candles_that_the_market_stage_took_are_drawn(tmp_path: Path) -> None:
    lines = csv_lines(candles(10))
    path = write_csv(tmp_path / "BTC_USDT-1m.csv", [*lines[:4], lines[3], lines[2], "x,1,1,1,1,1", *lines[4:]])
    drawn = accepted(read_candles(path))
    assert drawn.ts.tolist() == [START + (row + 1) * MINUTE for row in range(10)]
    assert drawn.close.tolist() == [row[4] for row in candles(10)]
