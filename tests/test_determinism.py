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
from typing import Any

import pytest

from connectors.simulated import write_market
from connectors.simulated_spec import MINUTE, SYMBOLS, MarketSpec
from schemas.command import Command
from schemas.ids import event_id
from tests.replaying import command, records, replay

# Two strategies, one of them a shadow; so few positions allowed that gates refuse; positions that leave in parts, by
# stops that move; small intervals. People who command and click, too.
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
commands: {senders: {ann: ["*"]}, intents_expire: 36500d}
"""


COMMANDS: list[tuple[int, str, dict[str, Any]]] = [
    (0, "pause", {"for": "1h"}),
    (1, "sell", {"intent": "first"}),
    (1, "resume", {}),
    (1, "close", {}),
    (1, "confirm", {}),
    (2, "sell", {"intent": "first"}),
    (0, "sell", {"intent": "first"}),
    (0, "set", {"risk.max_open_positions": "3"}),
    (0, "buy", {"intent": "second"}),
    (1, "buy", {"intent": "second"}),
    (0, "halt", {"strategy": "sma_cross"}),
    (0, "mode", {"strategy": "sma_atr", "mode": "shadow"}),
    (0, "set", {"exits.trail_at": "3"}),
    (0, "resume", {"strategy": "sma_cross"}),
    (0, "mode", {"strategy": "slow_shadow", "mode": "live"}),
    (0, "close", {"strategy": "sma_cross"}),
    (0, "reset", {"breaker": "drawdown"}),
]
"""How many minutes behind the one before (0: when the next 2 % of the candles are over), and what."""


def commands(begin: int, minutes: int, prices: dict[str, float]) -> str:
    """The lines of a file: COMMANDS again and again, each time on another symbol."""
    lines: list[str] = []
    minute, step = 0, minutes // 50
    while minute < minutes - step:
        again, at = divmod(len(lines), len(COMMANDS))
        after, name, arguments = COMMANDS[at]
        minute += after or step
        if name in ("buy", "sell"):
            symbol = list(prices)[again % len(prices)]
            stop, target = (0.6, 2.0) if name == "buy" else (1.5, 0.1)
            levels = {"stop": prices[symbol] * stop, "target": prices[symbol] * target}
            arguments = {"symbol": symbol, **levels, "intent": f"{arguments['intent']}-{again}"}
        elif name == "confirm":
            arguments = {"token": event_id("main", f"command-{len(lines)}", "token")[:8]}
        row = Command(
            id=f"command-{len(lines) + 1}",
            ts=begin + minute * MINUTE,
            portfolio="main",
            sender="ann",
            name=name,
            arguments=arguments,
        )
        lines.append(row.model_dump_json())
    return "\n".join(lines)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four symbols, so that there are several shards."""
    return write_market(tmp_path_factory.mktemp("market"), MarketSpec(days=3, seed=11))


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[Path]:
    return [shared_data / "candles/btc-perp-20211231-20220201-1m.csv.gz"]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, ...]]:
    """By input, the words of its settings and of its commands."""
    folder, found = tmp_path_factory.mktemp("settings"), dict[str, tuple[str, ...]]()
    (folder / "penstock.yaml").write_text(SETTINGS, encoding="utf-8")
    prices = {one.symbol: one.price for one in SYMBOLS}
    steps = {
        "market": commands(MarketSpec().start_ms, 3 * 1440, prices),
        "real": commands(1_640_991_600_000, 45_031, {"BTC-PERP": 42_000.0}),
    }
    for name, text in steps.items():
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        found[name] = ("--config", str(folder / "penstock.yaml"), "--commands", str(folder / f"{name}.jsonl"))
    return found


@pytest.fixture(scope="module")
def undisturbed(
    market: list[Path], real: list[Path], given: dict[str, tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Output hashes with one worker in one process."""
    hashes = {}
    for name, inputs in (("market", market), ("real", real)):
        out = tmp_path_factory.mktemp("undisturbed") / name
        hashes[name] = replay(inputs, out, *given[name])["output_hash"]
        for topic in ("signals", "orders", "fills", "positions", "rejections", "breakers", "equity", "audit"):
            assert records(out, topic), f"{name}: nothing on {topic}, so that equality would say nothing about it"
        codes = {row["code"] for row in records(out, "replies")}
        assert codes >= {"DONE", "CONFIRM", "INTENT_EXECUTED", "TRADING_REDUCING"}, codes
        assert any(row["strategy"] == "manual" for row in records(out, "fills"))
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
    given: dict[str, tuple[str, ...]],
    tmp_path: Path,
) -> None:
    inputs = request.getfixturevalue(name)
    spread = ("--workers", str(workers), "--processes", str(processes))
    assert replay(inputs, tmp_path / "run", *given[name], *spread)["output_hash"] == undisturbed[name]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["market", "real"])
def test_outputs_do_not_depend_on_how_the_input_is_cut(
    name: str,
    seed: int,
    undisturbed: dict[str, str],
    request: pytest.FixtureRequest,
    given: dict[str, tuple[str, ...]],
    tmp_path: Path,
) -> None:
    rows = random.Random(seed).randrange(1, 3000)
    cut = ("--set", f"run.batch_rows={rows}")
    inputs = request.getfixturevalue(name)
    assert replay(inputs, tmp_path / "run", *given[name], *cut)["output_hash"] == undisturbed[name], rows


@pytest.mark.parametrize("seed", [1, 12345])
def test_outputs_do_not_depend_on_the_hash_seed(
    seed: int, undisturbed: dict[str, str], market: list[Path], given: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    run = replay(market, tmp_path / "run", *given["market"], hash_seed=seed)
    assert run["output_hash"] == undisturbed["market"]


@pytest.mark.parametrize("shards", [1, 3, 64])
def test_outputs_do_not_depend_on_the_number_of_shards(
    shards: int, undisturbed: dict[str, str], market: list[Path], given: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    run = replay(market, tmp_path / "run", *given["market"], "--set", f"market.shards={shards}")
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
    given: dict[str, tuple[str, ...]],
    tmp_path: Path,
) -> None:
    inputs, out = request.getfixturevalue(name), tmp_path / "run"
    workspace = tmp_path / "run.partial"
    words = command(inputs, out, *given[name], *SLOW, *spread)
    kills = 3
    for _ in range(kills):
        saved = count(workspace, "checkpoint.saved")
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            # A checkpoint of this very process, so that each one takes up what the one before it had saved.
            wait_for(partial(saved_more_than, workspace, saved + 2), running)
            os.kill(running.pid, signal.SIGKILL)
        assert not out.exists(), "a run that was killed looks finished"
    assert replay(inputs, out, *given[name], *SLOW, *spread)["output_hash"] == undisturbed[name]
    assert [event["name"] for event in records(out, "events")].count("run.resumed") == kills
    assert not workspace.exists()


def test_a_process_of_the_cluster_that_is_killed_ends_the_run_which_can_be_taken_up(
    undisturbed: dict[str, str], market: list[Path], given: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    out, workspace = tmp_path / "run", tmp_path / "run.partial"
    options = (*given["market"], *SLOW, "--processes", "2")
    with subprocess.Popen(command(market, out, *options), stderr=subprocess.PIPE) as running:
        wait_for(partial(saved_more_than, workspace, 4), running)
        children = subprocess.run(["pgrep", "-P", str(running.pid)], capture_output=True, text=True, check=True)
        os.kill(int(children.stdout.split()[1]), signal.SIGKILL)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert b"of the run ended early" in said
    assert replay(market, out, *options)["output_hash"] == undisturbed["market"]


def test_an_interrupt_says_how_to_go_on(market: list[Path], given: dict[str, tuple[str, ...]], tmp_path: Path) -> None:
    out, workspace = tmp_path / "run", tmp_path / "run.partial"
    words = command(market, out, *given["market"], *SLOW)
    with subprocess.Popen(words, stderr=subprocess.PIPE) as running:
        wait_for(partial(saved_more_than, workspace, 1), running)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"the same command goes on from the last checkpoint" in said
    assert workspace.is_dir()
    assert not out.exists()
