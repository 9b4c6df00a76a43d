"""What a run says while it works, and how an interrupted one goes on."""

from __future__ import annotations

import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command import PENSTOCK, candles, csv_lines, environment, penstock, write_csv
from tests.replaying import records, run_json


def test_the_first_run_says_once_that_it_compiles_and_the_second_does_not(tmp_path: Path) -> None:
    write_csv(tmp_path / "BTC_USDT-1m.csv", candles(30))
    cache = str(tmp_path / "kernels")
    said = []
    for out in ("one", "two"):
        result = penstock(tmp_path, "replay", "BTC_USDT-1m.csv", "--out", out, "--no-html", NUMBA_CACHE_DIR=cache)
        assert result.code == 0, result.err
        said.append([line for line in result.err.splitlines() if "compiling" in line])
    assert said == [["compiling the kernels: first use on this machine, cached afterwards"], []]


SLOW = ("--set", "run.batch_rows=4", "--set", "run.checkpoint_every_s=0.1", "--no-html")
LONG = ("replay", "BTC_USDT-1m.csv", "--out", "run", *SLOW, "--set", "strategies.0.use=sma_cross")


def wait_for(condition: Callable[[], bool], running: subprocess.Popen[Any]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert running.poll() is None, "the run ended before it could be interrupted"
        assert time.monotonic() < until, "waited in vain"
        select.select([], [], [], 0.005)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a run that was ended by SIGTERM after its first checkpoints, and what it said on stderr."""
    folder = tmp_path_factory.mktemp("interrupted")
    write_csv(folder / "BTC_USDT-1m.csv", candles(20_000))
    events = folder / "run.partial" / "events.jsonl"
    with subprocess.Popen(
        [PENSTOCK, *LONG], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        wait_for(lambda: events.exists() and events.read_text().count("checkpoint.saved") > 1, running)
        running.send_signal(signal.SIGTERM)
        out, said = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    return folder, said


def test_an_interrupted_run_says_how_to_go_on_and_looks_unfinished(interrupted: tuple[Path, str]) -> None:
    folder, said = interrupted
    assert said.splitlines()[-1] == (
        "interrupted: the same command goes on from the last checkpoint in run.partial, "
        "given with --out run and without --overwrite"
    )
    assert "Traceback" not in said
    assert sorted(path.name for path in folder.iterdir()) == ["BTC_USDT-1m.csv", "run.partial"]


def test_an_interrupted_run_whose_input_changed_is_not_taken_up(interrupted: tuple[Path, str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(interrupted[0], work)
    with (work / "BTC_USDT-1m.csv").open("a") as file:
        file.write(csv_lines(candles(20_001))[-1] + "\n")
    result = penstock(work, *LONG)
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "penstock: run.partial holds an interrupted run of other inputs, settings or strategies: finish it with the "
        "command that began it, give another --out, or --overwrite to start anew\n"
    )
    assert not (work / "run").exists()


def test_the_same_command_takes_it_up_and_ends_as_if_nothing_had_been(
    interrupted: tuple[Path, str], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    shutil.copytree(interrupted[0], work)
    again = penstock(work, *LONG)
    assert again.code == 0, again.err
    assert "going on from the last checkpoint in run.partial" in again.err.splitlines()
    whole = penstock(work, *LONG, "--out", "whole", "--set", "run.batch_rows=32768")
    assert whole.code == 0, whole.err
    assert run_json(work / "run")["output_hash"] == run_json(work / "whole")["output_hash"]
    assert not (work / "run.partial").exists()
    names = [event["name"] for event in records(work / "run", "events")]
    assert names.count("run.resumed") == 1
    assert names.index("checkpoint.saved") < names.index("run.resumed") < names.index("run.finished")
