"""The outputs of a replay are a function of its inputs and settings: nothing else is to be seen in their bytes."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from connectors.simulated import write_market
from connectors.simulated_spec import MarketSpec
from tests.replaying import command, records, replay

# Two strategies, one of them a shadow; so few positions allowed that gates refuse; positions that leave in parts, by
# stops that move; small intervals.
SETTINGS = """
strategies:
  - use: sma_cross
    params: {fast: 5, slow: 15, stop_pct: 0.5}
  - {use: sma_atr, params: {target_atr: 2.5}}
  - {use: sma_cross, name: slow_shadow, mode: shadow, params: {fast: 20, slow: 60}}
risk: {max_open_positions: 2, per_trade_pct: 0.2, min_reward_to_risk: 1.5}
breakers:
  consecutive_losses: {most: 3, scope: symbol, reset: 2h}
  drawdown: {max_pct: 1, action: close, reset: day}
  order_rate: {most: 4, window: 10m, reset: 30m}
broker: {slippage_pct: 0.01}
entries: {additions: 1}
exits:
  ladder: [{share_pct: 40, at: 1}, {share_pct: 30, by: atr, at: 4}]
  dual: {stop_money: 5, at: 0.8}
  break_even_after: 1
  trail: chandelier
  trail_at: 5
  time_candles: 240
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "penstock.yaml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four symbols, so that there are several shards."""
    return write_market(tmp_path_factory.mktemp("market"), MarketSpec(days=3, seed=11))


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[Path]:
    return [shared_data / "candles/btc-perp-20211231-20220201-1m.csv.gz"]


@pytest.fixture(scope="module")
def undisturbed(
    market: list[Path], real: list[Path], config: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Output hashes with one worker in one process."""
    hashes = {}
    for name, inputs in (("market", market), ("real", real)):
        out = tmp_path_factory.mktemp("undisturbed") / name
        hashes[name] = replay(inputs, out, "--config", str(config))["output_hash"]
        for topic in ("signals", "orders", "fills", "positions", "rejections", "breakers", "equity"):
            assert records(out, topic), f"{name}: nothing on {topic}, so that equality would say nothing about it"
    return hashes


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("name", ["market", "real"])
def test_outputs_do_not_depend_on_workers_and_processes(
    name: str,
    workers: int,
    processes: int,
    undisturbed: dict[str, str],
    request: pytest.FixtureRequest,
    config: Path,
    tmp_path: Path,
) -> None:
    inputs = request.getfixturevalue(name)
    spread = ("--workers", str(workers), "--processes", str(processes))
    assert replay(inputs, tmp_path / "run", "--config", str(config), *spread)["output_hash"] == undisturbed[name]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["market", "real"])
def test_outputs_do_not_depend_on_how_the_input_is_cut(
    name: str, seed: int, undisturbed: dict[str, str], request: pytest.FixtureRequest, config: Path, tmp_path: Path
) -> None:
    rows = random.Random(seed).randrange(1, 3000)
    cut = ("--set", f"run.batch_rows={rows}")
    inputs = request.getfixturevalue(name)
    assert replay(inputs, tmp_path / "run", "--config", str(config), *cut)["output_hash"] == undisturbed[name], rows


@pytest.mark.parametrize("seed", [1, 12345])
def test_outputs_do_not_depend_on_the_hash_seed(
    seed: int, undisturbed: dict[str, str], market: list[Path], config: Path, tmp_path: Path
) -> None:
    run = replay(market, tmp_path / "run", "--config", str(config), hash_seed=seed)
    assert run["output_hash"] == undisturbed["market"]


@pytest.mark.parametrize("shards", [1, 3, 64])
def test_outputs_do_not_depend_on_the_number_of_shards(
    shards: int, undisturbed: dict[str, str], market: list[Path], config: Path, tmp_path: Path
) -> None:
    run = replay(market, tmp_path / "run", "--config", str(config), "--set", f"market.shards={shards}")
    assert run["output_hash"] == undisturbed["market"]


# Small batches make a run long enough to be killed in, and give it many checkpoints.
SLOW = ("--set", "run.batch_rows=10", "--set", "run.checkpoint_every_s=0.1")


def wait_for(condition: Callable[[], bool], running: subprocess.Popen[bytes], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert running.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < until, "waited in vain"
        select.select([], [], [], 0.005)


def count(workspace: Path, event: str) -> int:
    path = workspace / "events.jsonl"
    return path.read_text(encoding="utf-8").count(f'"name":"{event}"') if path.exists() else 0


def saved_more_than(workspace: Path, checkpoints: int) -> bool:
    return count(workspace, "checkpoint.saved") > checkpoints


@pytest.mark.parametrize("spread", [(), ("--processes", "2")], ids=["one process", "two processes"])
@pytest.mark.parametrize("name", ["market", "real"])
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_outputs(
    name: str,
    spread: tuple[str, ...],
    undisturbed: dict[str, str],
    request: pytest.FixtureRequest,
    config: Path,
    tmp_path: Path,
) -> None:
    inputs, out = request.getfixturevalue(name), tmp_path / "run"
    workspace = tmp_path / "run.partial"
    words = command(inputs, out, "--config", str(config), *SLOW, *spread)
    kills = 3
    for _ in range(kills):
        saved = count(workspace, "checkpoint.saved")
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            # A checkpoint of this very process, so that each one takes up what the one before it had saved.
            wait_for(partial(saved_more_than, workspace, saved + 2), running)
            os.kill(running.pid, signal.SIGKILL)
        assert not out.exists(), "a run that was killed looks finished"
    assert replay(inputs, out, "--config", str(config), *SLOW, *spread)["output_hash"] == undisturbed[name]
    assert [event["name"] for event in records(out, "events")].count("run.resumed") == kills
    assert not workspace.exists()


def test_a_process_of_the_cluster_that_is_killed_ends_the_run_which_can_be_taken_up(
    undisturbed: dict[str, str], market: list[Path], config: Path, tmp_path: Path
) -> None:
    out, workspace = tmp_path / "run", tmp_path / "run.partial"
    options = ("--config", str(config), *SLOW, "--processes", "2")
    with subprocess.Popen(command(market, out, *options), stderr=subprocess.PIPE) as running:
        wait_for(partial(saved_more_than, workspace, 4), running)
        children = subprocess.run(["pgrep", "-P", str(running.pid)], capture_output=True, text=True, check=True)
        os.kill(int(children.stdout.split()[1]), signal.SIGKILL)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert b"of the run ended early" in said
    assert replay(market, out, *options)["output_hash"] == undisturbed["market"]


def test_an_interrupt_says_how_to_go_on(market: list[Path], config: Path, tmp_path: Path) -> None:
    out, workspace = tmp_path / "run", tmp_path / "run.partial"
    words = command(market, out, "--config", str(config), *SLOW)
    with subprocess.Popen(words, stderr=subprocess.PIPE) as running:
        wait_for(partial(saved_more_than, workspace, 1), running)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"the same command goes on from the last checkpoint" in said
    assert workspace.is_dir()
    assert not out.exists()
