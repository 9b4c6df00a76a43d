"""The sides of the race, each a process of its own on one core: the peers' scripts and `penstock replay`."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PEER_PYTHON = HERE / ".venv/bin/python"
PENSTOCK = Path(sys.executable).parent / "penstock"
SYMBOL = "BTC/USDT:USDT"
SCRIPTS = {
    "backtesting.py": "backtesting_py.py",
    "vectorbt": "vectorbt_peer.py",
    "nautilus_trader": "nautilus.py",
    "csp": "csp_peer.py",
    "numba loop": "numba_loop.py",
}
WARM = {"vectorbt": 4, "numba loop": 4}
"""Runs within one process, where the first one compiles: the median of the others is the warm time."""


@dataclass(frozen=True)
class Trade:
    """A closed round trip, as all sides write it. Times are open times of the candles of the fills, epoch ms."""

    entry_time: int
    exit_time: int
    side: str
    quantity: float
    entry_price: float
    exit_price: float
    pnl: float
    fees: float


@dataclass(frozen=True)
class Run:
    """What one process took, in seconds; ``phases`` are those of the first run in it, ``warm`` those of later ones.

    ``done`` are its trades, or its signals where a side has no trades.
    """

    rows: int
    done: list[Trade] | list[tuple[int, str]]
    whole: float
    phases: dict[str, float]
    warm: list[dict[str, float]]
    peak_mb: float
    version: str


def pinned(command: list[str], folder: Path) -> tuple[str, float, float]:
    """Run in ``folder`` on the last core we may use: (standard output, seconds from start to end, peak resident MB)."""
    core = max(os.sched_getaffinity(0))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PENSTOCK")}
    with tempfile.TemporaryDirectory() as name:
        out, err = Path(name, "out"), Path(name, "err")
        launch = [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(core), str(out), str(err), *command]
        done = subprocess.run(launch, stdout=subprocess.PIPE, text=True, check=True, env=clean, cwd=folder)
        result = json.loads(done.stdout)
        if result["status"] != 0:
            raise SystemExit(f"{' '.join(command)}\nended with {result['status']}:\n{err.read_text()[-4000:]}")
        return out.read_text(), result["seconds"], result["peak_kb"] / 1024


def peer(name: str, candles: Path, fast: int, slow: int, folder: Path, fee_pct: float = 0.0) -> Run:
    """One process of a peer, which writes trades and hourly equity as far as it can."""
    script = HERE / "peers" / SCRIPTS[name]
    trades = folder / "trades.csv"
    trades.unlink(missing_ok=True)
    options = ["--fast", str(fast), "--slow", str(slow), "--fee-pct", str(fee_pct), "--trades", str(trades)]
    options += ["--equity", str(folder / "equity.csv"), "--repeat", str(WARM.get(name, 1))]
    out, _, peak = pinned([str(PEER_PYTHON), str(script), str(candles), *options], folder)
    result = json.loads(out.splitlines()[-1])
    found: list[Trade] | list[tuple[int, str]]
    with trades.open(newline="") as file:
        if name == "csp":
            found = [(int(row["time"]), row["side"]) for row in csv.DictReader(file)]
        else:
            found = [_trade(row, "entry_time", "exit_time", "pnl") for row in csv.DictReader(file)]
    return Run(
        result["rows"],
        found,
        result["whole"],
        result["first"],
        result["warm"],
        peak,
        f"{result['peer']} {result['version']}",
    )


def settings(fast: int, slow: int, fill_at: str = "next_open", fee_pct: float = 0.0) -> dict[str, str]:
    """Penstock under the peers' rules: fixed quantity, nothing refused, a stop too far to be hit, no target."""
    params = f"{{fast: {fast}, slow: {slow}, stop_pct: 90, reward_to_risk: null}}"
    return {
        "strategies": f"[{{use: sma_cross, params: {params}}}]",
        "exits.require_target": "false",
        "portfolio.cash": "10000000",
        "portfolio.leverage": "125",
        "risk.sizing": "fixed_quantity",
        "risk.quantity": "1",
        "risk.max_position_pct": "1e9",
        "risk.max_gross_exposure_pct": "1e9",
        "risk.max_open_positions": "1000000",
        "risk.min_reward_to_risk": "0",
        "broker.fee_pct": str(fee_pct),
        "broker.fill_at": fill_at,
    }


def penstock(candles: list[Path], values: dict[str, str], folder: Path) -> Run:
    """One `penstock replay` without HTML, into an empty run folder. Several files are named as their symbols."""
    shutil.rmtree(folder, ignore_errors=True)
    sets = [part for key, value in values.items() for part in ("--set", f"{key}={value}")]
    named = ["--symbol", SYMBOL] if len(candles) == 1 else []
    command = [str(PENSTOCK), "replay", *map(str, candles), *named, "--no-html", "--out", str(folder), *sets]
    _, seconds, peak = pinned(command, folder.parent)
    run = json.loads((folder / "run.json").read_text())
    rows = sum(item["rows"] for item in run["inputs"])
    return Run(rows, [], seconds, run["seconds"], [], peak, f"penstock {run['versions']['penstock']}")


def positions(folder: Path) -> list[Trade]:
    """The closed positions of a run folder, by entry."""
    with (folder / "positions.jsonl").open() as lines:
        records = [record for record in map(json.loads, lines) if record["status"] == "closed"]
    return sorted((_trade(row, "entry_ts", "exit_ts", "realised_pnl") for row in records), key=lambda t: t.entry_time)


def signals(folder: Path) -> list[tuple[int, str]]:
    """Open time of the candle (of one minute) and side of every signal of a run folder."""
    with (folder / "signals.jsonl").open() as lines:
        return [(record["ts"] - 60_000, record["side"]) for record in map(json.loads, lines)]


def _trade(row: dict[str, Any], entry: str, leave: str, pnl: str) -> Trade:
    numbers = (float(row[key]) for key in ("quantity", "entry_price", "exit_price", pnl, "fees"))
    return Trade(int(row[entry]), int(row[leave]), row["side"], *numbers)
