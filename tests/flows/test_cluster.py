from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.candle_file import CandleSeries
from flows.cluster import ClusterError, assert_all_read, hooks, run_here, run_spread
from flows.plan import Plan, make_plan
from flows.timing import Timing
from schemas.config.load import load
from sinks.run_folder import Workspace
from tests.command import PENSTOCK, candles, environment, penstock, write_csv
from tests.replaying import records, run_json

SETS = ("strategies.0.use=sma_cross", "strategies.0.params={fast: 3, slow: 8}")


@pytest.fixture
def planned(tmp_path: Path) -> tuple[Plan, dict[str, CandleSeries]]:
    """Two markets in two shards, 120 rows each."""
    paths = [write_csv(tmp_path / f"{base}_USDT-1m.csv", candles(120)) for base in ("BTC", "ETH")]
    return make_plan(paths, None, load(None, {}, SETS).config, "1")


def begun(plan: Plan, out: Path) -> Workspace:
    workspace = Workspace(out, list(plan.shards))
    workspace.begin(plan.model_dump_json(), overwrite=False)
    return workspace


def contents(workspace: Workspace) -> dict[str, bytes]:
    return {str(path.relative_to(workspace.parts)): path.read_bytes() for path in workspace.parts.rglob("*.jsonl")}


def test_several_processes_write_what_one_writes(planned: tuple[Plan, dict[str, CandleSeries]], tmp_path: Path) -> None:
    plan, series = planned
    here, spread = begun(plan, tmp_path / "here"), begun(plan, tmp_path / "spread")
    timing = Timing()
    run_here(plan, here, timing, series, workers=1)
    run_spread(plan, spread, workers=1, processes=2)
    assert contents(spread) == contents(here)
    assert contents(here)["portfolio-main/fills.jsonl"]
    assert {"market", "portfolio"} <= set(timing.seconds)
    assert here.progress().tolist() == spread.progress().tolist() == [120, 120]


def test_a_process_that_fails_ends_the_run_with_its_number_and_its_words(
    planned: tuple[Plan, dict[str, CandleSeries]], tmp_path: Path
) -> None:
    plan, _ = planned
    workspace = begun(plan, tmp_path / "run")
    Path(plan.inputs[1].name).unlink()
    with pytest.raises(ClusterError) as caught:
        run_spread(plan, workspace, workers=1, processes=2)
    wrong = re.fullmatch(
        r"process ([01]) of the run ended early: .*ETH_USDT-1m\.csv does not exist: check the path; more in (.*)",
        str(caught.value),
    )
    assert wrong is not None, caught.value
    assert wrong[2] == str(workspace.path / f"process-{wrong[1]}.log")
    assert "Traceback" in Path(wrong[2]).read_text()


def test_a_run_that_did_not_read_every_row_is_not_taken_for_finished(
    planned: tuple[Plan, dict[str, CandleSeries]], tmp_path: Path
) -> None:
    plan, _ = planned
    workspace = begun(plan, tmp_path / "run")
    heard = hooks(workspace)
    heard.on_rows("shard-0000", 120)
    heard.on_rows("shard-0003", 119)
    with pytest.raises(ClusterError, match="not all rows were read; run the same command again to go on"):
        assert_all_read(plan, workspace)
    heard.on_rows("shard-0003", 120)
    assert_all_read(plan, workspace)


def test_checkpoints_are_told_in_the_events(planned: tuple[Plan, dict[str, CandleSeries]], tmp_path: Path) -> None:
    workspace = begun(planned[0], tmp_path / "run")
    hooks(workspace).on_durable("shard-0003", 50)
    (event,) = records(workspace.path, "events")
    assert (event["name"], event["run"]) == ("checkpoint.saved", "run")
    assert event["figures"] == {"shard": "shard-0003", "rows": 50}


def test_trouble_with_the_broker_is_told_once_and_stands_in_the_events(
    planned: tuple[Plan, dict[str, CandleSeries]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = begun(planned[0], tmp_path / "run")
    heard = hooks(workspace)
    for part in ("candles-0", "candles-0", "candles-1"):
        heard.on_trouble(part, "Connection refused")
    assert capsys.readouterr().err.splitlines() == ["candles-0: Connection refused", "candles-1: Connection refused"]
    told = [(event["name"], event["figures"]) for event in records(workspace.path, "events")]
    assert told == [
        ("source.trouble", {"shard": part, "text": "Connection refused"}) for part in ("candles-0", "candles-1")
    ]


OWN = """
from flows.strategies.base import Strategy, Signals
from flows.indicators.rsi import RSI

class Own(Strategy):
    def __init__(self, params):
        super().__init__(params)
        self.rsi = RSI(3)

    def on_candles(self, candles):
        rsi = self.rsi(candles)
        return Signals(long=rsi < 30, flat=rsi > 60, stop_distance=candles.close * 0.01, target_distance=candles.close)
"""


def test_a_strategy_of_the_working_directory_runs_in_several_processes_whatever_else_lies_there(tmp_path: Path) -> None:
    write_csv(tmp_path / "BTC_USDT-1m.csv", candles(300))
    (tmp_path / "own.py").write_text(OWN)
    for name in ("flows", "schemas", "sinks"):  # a bot may have rooms of these names, too
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('not the one you want')\n")
        (tmp_path / name / "worker.py").touch()
    words = ("replay", "BTC_USDT-1m.csv", "--set", "strategies.0.use=own:Own", "--no-html")
    for processes in ("1", "2"):
        result = penstock(tmp_path, *words, "--processes", processes, "--out", f"run-{processes}")
        assert result.code == 0, result.err
    assert run_json(tmp_path / "run-2")["how"] == {"workers": 1, "processes": 2}
    assert run_json(tmp_path / "run-2")["output_hash"] == run_json(tmp_path / "run-1")["output_hash"]
    assert {record["strategy"] for record in records(tmp_path / "run-2", "fills")} == {"own"}


def wait_for(condition: Callable[[], bool], running: subprocess.Popen[bytes] | None = None) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert running is None or running.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < until, "waited in vain"
        select.select([], [], [], 0.005)


def gone(process: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet counts as ended."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    ).stdout
    return state.strip() == "" or state.startswith("Z")


def test_no_process_outlives_the_command_that_started_it(tmp_path: Path) -> None:
    write_csv(tmp_path / "BTC_USDT-1m.csv", candles(50_000))
    events = tmp_path / "run.partial" / "events.jsonl"
    slow = ("--set", "run.batch_rows=1", "--set", "run.checkpoint_every_s=0.1")
    with subprocess.Popen(
        [PENSTOCK, "replay", "BTC_USDT-1m.csv", "--out", "run", "--processes", "2", *slow],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        wait_for(lambda: events.exists() and "checkpoint.saved" in events.read_text(), running)
        found = subprocess.run(["pgrep", "-P", str(running.pid)], capture_output=True, text=True, check=True)
        children = [int(line) for line in found.stdout.split()]
        assert len(children) == 2
        assert not any(gone(child) for child in children)
        os.kill(running.pid, signal.SIGKILL)
    wait_for(lambda: all(gone(child) for child in children))
