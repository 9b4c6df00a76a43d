from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cluster import OWN_ERROR, run_here
from flows.plan import make_plan
from flows.timing import Timing
from schemas.config.load import load
from sinks.run_folder import Workspace
from tests.command import candles, environment, write_csv

SETS = ("strategies.0.use=sma_cross", "strategies.0.params={fast: 3, slow: 8}")


def worker(out: Path, addresses: list[str]) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "flows.worker", str(out), "--process", "0", "--workers", "1", *addresses]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def begun(tmp_path: Path) -> Workspace:
    """A run that was begun, but not run."""
    path = write_csv(tmp_path / "BTC_USDT-1m.csv", candles(120))
    plan, series = make_plan([path], None, load(None, {}, SETS).config, "1")
    for name in ("here", "run"):
        workspace = Workspace(tmp_path / name, list(plan.shards))
        workspace.begin(plan.model_dump_json(), overwrite=False)
        if name == "here":
            run_here(plan, workspace, Timing(), series, workers=1)
    return workspace


def contents(workspace: Workspace) -> dict[str, bytes]:
    return {str(path.relative_to(workspace.parts)): path.read_bytes() for path in workspace.parts.rglob("*.jsonl")}


def test_a_worker_takes_the_plan_from_the_workspace_and_runs_it(begun: Workspace) -> None:
    with worker(begun.out, [address()]) as running:
        assert running.stderr is not None
        running.wait(60)
        assert running.returncode == 0, running.stderr.read()
    assert contents(begun) == contents(Workspace(begun.out.with_name("here"), ()))
    assert contents(begun)["portfolio-main/fills.jsonl"]
    assert begun.progress().tolist() == [120]


def test_a_worker_ends_when_the_one_who_started_it_is_gone(begun: Workspace) -> None:
    # The other address never answers: it would wait for its peer for ever.
    with worker(begun.out, [address(), address()]) as running:
        assert running.stdin is not None
        running.stdin.close()
        assert running.wait(60) == 1
    assert not begun.out.exists()


def test_a_worker_without_a_begun_run_says_which_plan_is_missing(tmp_path: Path) -> None:
    with worker(tmp_path / "none", [address()]) as running:
        assert running.wait(60) == OWN_ERROR
        assert running.stderr is not None
        assert "none.partial/plan.json" in running.stderr.read()
