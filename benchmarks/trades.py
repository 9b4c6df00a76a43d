"""From trades to candles: penstock's kernels, Bytewax `fold_window` and nautilus_trader's aggregation, in one go.

python benchmarks/trades.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import racers
from table import table

START_MS = 1_704_067_200_000
TRADES, FEW, FRAMES = 2_000_000, 200_000, 100_000
SIDES = ("penstock", "bytewax", "nautilus_trader")
NAMES = {
    "penstock": "penstock",
    "bytewax": "Bytewax `fold_window`",
    "nautilus_trader": "nautilus_trader, internal bars",
}

NOTES = """\
One symbol, twenty trades a second of event time, in the order of time. **Columns** are trades in memory to candles of
one minute. For penstock that is the whole state machine, batches of 10,000: checks, late and repeated ids, open, high,
low, close, volume, quote volume, count, taker-buy volume; for Bytewax a Python folder of open, high, low, close and
volume on tuples with ready datetimes; for nautilus_trader `BacktestEngine.run()` with a strategy that keeps the bars.
**Raw frames** are Binance's, one a trade: for penstock through its parser and columns to candles, for nautilus_trader
through its Binance adapter's decoder and ticks, then the engine. Its candles are compared with penstock's, minute by
minute. **Decoding alone** is msgspec, a frame into a struct of six
fields: nobody who reads JSON is faster."""


@dataclass(frozen=True)
class Bench:
    """Nanoseconds a trade by side and job, medians; and what came of comparing the candles."""

    ns: dict[str, dict[str, float]]
    equal: dict[str, str]
    versions: dict[str, str]

    def times(self, side: str, job: str = "1m") -> float:
        """How many times as long as penstock a side takes."""
        return self.ns[side][job] / self.ns["penstock"][job]

    @property
    def several(self) -> float:
        """What seven timeframes cost, of one."""
        return self.ns["penstock"]["several"] / self.ns["penstock"]["1m"]


def write_trades(folder: Path, count: int, frames: int) -> tuple[Path, Path]:
    """A seeded tape as Parquet, and its first trades as frames of Binance with times of reception."""
    rng = np.random.default_rng(7)
    ts = START_MS + np.cumsum(rng.integers(0, 100, count))
    ts += ts % 60_000 == 0  # nautilus_trader counts a trade at the very end of a minute into it
    price = np.round(40_000 + np.abs(np.cumsum(rng.normal(0, 0.5, count))), 2)
    amount = np.round(rng.exponential(0.2, count) + 0.001, 3)
    buy, id_ = rng.random(count) < 0.5, np.arange(1, count + 1)
    path, file = folder / "trades.parquet", folder / "frames.ndjson"
    pa.parquet.write_table(pa.table({"ts": ts, "price": price, "amount": amount, "buy": buy, "id": id_}), path)
    with file.open("w") as out:
        columns = (column[:frames].tolist() for column in (ts, price, amount, buy, id_))
        for row, (at, cost, size, bought, number) in enumerate(zip(*columns, strict=True)):
            data = f'"e":"trade","E":{at},"s":"BTCUSDT","t":{number},"p":"{cost:.3f}","q":"{size:.3f}","T":{at}'
            maker = "false" if bought else "true"
            frame = f'{{"stream":"btcusdt@trade","data":{{{data},"m":{maker},"M":true}}}}'
            out.write(f"{at * 1_000_000 + 20_000_000 + row} {frame}\n")
    return path, file


def measure(folder: Path, rounds: int, say: Callable[[str], None], rows: tuple[int, int, int]) -> Bench:
    """All sides in turns, each a process bound to one core. ``rows``: of penstock, of its peers, frames."""
    trades, frames = write_trades(folder, rows[0], rows[2])
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for turn in range(rounds):
        for side in SIDES:
            say(f"trades to candles, round {turn + 1}: {side}")
            runs[side].append(_run(side, trades, frames, rows))
    ns = {
        side: {
            job: median(one["seconds"][job] / _count(one, job) for one in found) * 1e9 for job in found[0]["seconds"]
        }
        for side, found in runs.items()
    }
    last = {side: found[-1] for side, found in runs.items()}
    ours = last["penstock"]
    equal = {side: same(ours["candles"], last[side]["candles"]) for side in SIDES[1:]}
    equal["frames"] = same(ours["candles of frames"], last["nautilus_trader"]["candles of frames"])
    return Bench(ns, equal, {side: str(one.get("version", "")) for side, one in last.items()})


def _run(side: str, trades: Path, frames: Path, rows: tuple[int, int, int]) -> dict[str, Any]:
    if side == "nautilus_trader":
        words = [str(racers.PEER_PYTHON), str(racers.HERE / "peers/nautilus_trades.py")]
    else:
        words = [sys.executable, str(racers.HERE / "trade_sides.py"), side]
    count = rows[0] if side == "penstock" else rows[1]
    out, *_ = racers.pinned([*words, str(trades), str(frames), str(count)], racers.HERE)
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def _count(run: dict[str, Any], job: str) -> int:
    return int(run["frames" if job in ("frames", "recording", "parse", "decode") else "rows"])


def same(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> str:
    """Whether the candles of the minutes that both have whole are the same: prices exactly, volumes to 1e-9."""
    known = {row[0]: row for row in ours}
    inner = theirs[:-1]  # its last minute is cut off by the end of its trades
    for row in inner:
        mine = known.get(row[0])
        if mine is None or list(mine[:5]) != list(row[:5]) or not math.isclose(mine[5], row[5], rel_tol=1e-9):
            return f"NO: {mine} against {row}"
    return f"{len(inner):,} candles equal"


def section(bench: Bench) -> str:
    """The part of the page."""
    ns = bench.ns
    rows = [
        [
            NAMES[side],
            f"{ns[side]['1m']:,.1f}",
            "1" if side == "penstock" else f"{bench.times(side):,.0f}",
            f"{ns[side]['frames']:,.0f}" if "frames" in ns[side] else "-",
            f"{bench.times(side, 'frames'):.1f}" if "frames" in ns[side] else "-",
            bench.equal.get(side, "-"),
        ]
        for side in SIDES
    ]
    head = [
        "",
        "columns, ns a trade",
        "time, of penstock's",
        "raw frames, ns a trade",
        "time, of penstock's",
        "candles",
    ]
    ours, its = ns["penstock"], ns["nautilus_trader"]
    more = (
        f"Seven timeframes at once (1s to 1d) take {bench.several:.2f} times one. Of a raw frame penstock's parser "
        f"takes {ours['parse']:,.0f} ns, decoding alone {ours['decode']:,.0f} ns; nautilus_trader's decoder and ticks "
        f"take {its['parse']:,.0f} ns. A recording as `penstock replay` reads it, with order, holes and clocks of the "
        f"feed, takes {ours['recording']:,.0f} ns a frame. Candles of frames: {bench.equal['frames']}."
    )
    return f"{table(head, rows)}\n\n{more}\n\n{targets(bench)}\n\n{NOTES}"


def targets(bench: Bench) -> str:
    """What was wanted, and what is."""
    found = [
        ("times as fast as Bytewax `fold_window`, from columns", 100.0, bench.times("bytewax"), True),
        ("times as fast as nautilus_trader, from columns", 50.0, bench.times("nautilus_trader"), True),
        ("times as fast as nautilus_trader, from raw frames", 3.0, bench.times("nautilus_trader", "frames"), True),
        ("several timeframes, of one", 1.5, bench.several, False),
    ]
    rows = [
        [
            what,
            f"{'at least' if more else 'less than'} {limit:g}",
            f"{value:,.1f}",
            "yes" if (value >= limit) == more else "NO",
        ]
        for what, limit, value, more in found
    ]
    return table(["", "wanted", "measured", "met"], rows)


def main() -> None:
    """All sides in turns; the section to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of everything [3]")
    arg = parser.parse_args()
    say = partial(print, file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        print(section(measure(Path(name), arg.rounds, say, (TRADES, FEW, FRAMES))))


if __name__ == "__main__":
    main()
