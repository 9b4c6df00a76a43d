"""The same trades as backtesting.py and vectorbt, row by row, on a month of real one-minute candles.

Penstock's rules (docs/fills.md): a market order is filled at the next candle's open; the stop lies at a distance from
the close of the signal's candle, works from the candle of the entry on, and is filled at its price, or at the open of a
candle that opens beyond it; after a stop the strategy is flat until the next crossing; fees are a share of each fill.
There is no target here, which takes `exits.require_target: false`.

How the peers are brought to the same rules (benchmarks/peers/*.py):

- backtesting.py has all of them (its `sl` works in the candle of the entry too); only crossings are given to it.
- vectorbt has them without a stop, with the signals shifted by one row. With a stop, a candle becomes two rows, since
  it neither looks at a stop in the row of an entry nor reverses in a row in which a stop is hit.

No combination is left out. The last position is open when the candles end, and is no trade in any of the three.
"""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "benchmarks/.venv/bin/python"
REAL = "candles/btc-perp-20211231-20220201-1m.csv.gz"


@dataclass(frozen=True)
class Rules:
    """One set of fill rules. 1.0 = 1 %. No stop: penstock, which has no order without one, gets one 90 % away."""

    fee_pct: float = 0.0
    stop_pct: float | None = None


@dataclass(frozen=True)
class Trade:
    """A closed round trip; times are the open times of the candles of the fills, epoch ms."""

    entry_time: int
    exit_time: int
    side: str
    quantity: float
    entry_price: float
    exit_price: float
    pnl: float
    fees: float


RULES = {
    "without fees": Rules(),
    "with fees": Rules(fee_pct=0.05),
    "with stops": Rules(stop_pct=0.3),
    "with fees and close stops": Rules(fee_pct=0.05, stop_pct=0.1),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("same_trades")


@pytest.fixture(scope="module")
def peers() -> Path:
    if not PEERS.exists():
        message = "backtesting.py and vectorbt are not installed: run make peers"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return PEERS


@pytest.fixture(scope="module")
def parquet(shared_data: Path, folder: Path) -> Path:
    """The same candles as the peers read them."""
    table = pyarrow.csv.read_csv(shared_data / REAL)
    date = table.column("timestamp").cast(pa.timestamp("ms")).cast(pa.int64())
    path = folder / "candles.parquet"
    pyarrow.parquet.write_table(table.drop_columns(["timestamp"]).add_column(0, "date", date), path)
    return path


def run(*command: str | Path, cwd: Path) -> None:
    """Run a command where no penstock.yaml lies, without settings of the environment."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PENSTOCK")}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, cwd=cwd, env=clean
    )
    assert done.returncode == 0, f"{command[:2]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


@cache
def replayed(candles: Path, rules: Rules, out: Path) -> list[dict[str, str]]:
    """The closed positions of `penstock replay`."""
    stop = 90 if rules.stop_pct is None else rules.stop_pct
    params = f"{{fast: 10, slow: 20, stop_pct: {stop}, reward_to_risk: null}}"
    settings = {
        "strategies": f"[{{use: sma_cross, params: {params}}}]",
        "exits.require_target": "false",
        "portfolio.cash": "10000000",
        "portfolio.leverage": "125",
        "risk.sizing": "fixed_quantity",
        "risk.quantity": "1",
        "risk.max_position_pct": "1e9",
        "risk.max_gross_exposure_pct": "1e9",
        "risk.min_reward_to_risk": "0",
        "broker.fee_pct": str(rules.fee_pct),
    }
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    command = Path(sys.executable).parent / "penstock"
    run(command, "replay", candles, "--symbol", "BTC/USDT:USDT", "--no-html", "--out", out, *sets, cwd=out.parent)
    with (out / "positions.jsonl").open() as lines:
        records = [json.loads(line) for line in lines]
    return [record for record in records if record["status"] == "closed"]


def penstock(candles: Path, rules: Rules, out: Path) -> list[Trade]:
    return [
        Trade(
            int(position["entry_ts"]),
            int(position["exit_ts"]),
            position["side"],
            *(float(position[key]) for key in ("quantity", "entry_price", "exit_price", "realised_pnl", "fees")),
        )
        for position in replayed(candles, rules, out)
    ]


def peer(script: str, python: Path, candles: Path, rules: Rules, out: Path) -> list[Trade]:
    stop: list[str] = [] if rules.stop_pct is None else ["--stop-pct", str(rules.stop_pct)]
    path = ROOT / "benchmarks/peers" / script
    options = ["--fast", "10", "--slow", "20", "--fee-pct", str(rules.fee_pct), *stop]
    run(python, path, candles, *options, "--trades", out, cwd=out.parent)
    with out.open(newline="") as file:
        return [
            Trade(
                int(row["entry_time"]),
                int(row["exit_time"]),
                row["side"],
                *(float(row[key]) for key in ("quantity", "entry_price", "exit_price", "pnl", "fees")),
            )
            for row in csv.DictReader(file)
        ]


def different(ours: Trade, theirs: Trade) -> list[str]:
    """The names of the fields that differ: times, side and quantity at all, money by more than 1e-9 of it."""
    exact = ("entry_time", "exit_time", "side", "quantity")
    close = ("entry_price", "exit_price", "pnl", "fees")
    found = [name for name in exact if getattr(ours, name) != getattr(theirs, name)]
    return found + [
        name for name in close if not math.isclose(getattr(ours, name), getattr(theirs, name), rel_tol=1e-9)
    ]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("script", ["backtesting_py.py", "vectorbt_peer.py"])
def test_trades_equal_the_peers_trade_by_trade(
    script: str, name: str, shared_data: Path, parquet: Path, peers: Path, folder: Path
) -> None:
    rules = RULES[name]
    label = name.replace(" ", "-")
    ours = penstock(shared_data / REAL, rules, folder / label)
    theirs = peer(script, peers, parquet, rules, folder / f"{script}-{label}.csv")
    unequal = [
        (row, different(mine, its), mine, its)
        for row, (mine, its) in enumerate(zip(ours, theirs, strict=False))
        if different(mine, its)
    ]
    assert unequal[:3] == []
    assert len(ours) == len(theirs)
    assert len(ours) > 2600


@pytest.mark.parametrize(("name", "stops"), [("with stops", 623), ("with fees and close stops", 1831)])
def test_the_compared_trades_hold_real_stops(name: str, stops: int, shared_data: Path, folder: Path) -> None:
    closed = replayed(shared_data / REAL, RULES[name], folder / name.replace(" ", "-"))
    assert sum(position["exit_leg"] == "stop" for position in closed) == stops
