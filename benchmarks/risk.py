"""What the risk rules cost: the portfolio stage alone, and a whole replay, plain and with every rule on.

`python benchmarks/risk.py` prints the section of docs/benchmarks.md; `--write` puts it there, in its place.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import candles
import racers
from machine import machine
from race import RUN, Say
from risk_stage import BREAKERS, RULES
from table import table

TITLE = "## Risk rules"
DOCS = racers.HERE.parent / "docs/benchmarks.md"
TEXT = """\
Every gate, sizing multiplier and breaker that there is, each so wide that it lets everything through: the same orders,
and all the work. (In the replay the shortest cooldown refuses the few entries at whose very instant the symbol was
left: {fewer:.1f} % of the orders are missing. And the gate `spread` is off there, for the candles have no quotes.) The
stage alone is one process on one core and one symbol, fed with batches of candles; every fifth candle turns the
position around, and what is counted are orders that were decided, filled and recorded. The replay is of {candles},
SMA 10/20, from the Parquet file to the run folder. Plain and all rules in turns; the
ratio is the median of those of the rounds."""


@dataclass(frozen=True)
class Pair:
    """Plain and with all rules, in turns: medians of seconds, and of the ratios of the rounds."""

    plain: float
    all: float
    ratio: float

    @classmethod
    def of(cls, seconds: dict[str, list[float]]) -> Pair:
        """From the seconds of the rounds."""
        ratios = [other / one for one, other in zip(seconds["plain"], seconds["all"], strict=True)]
        return cls(median(seconds["plain"]), median(seconds["all"]), median(ratios))


@dataclass(frozen=True)
class Risk:
    """The stage, the replay from file to folder, and its whole process."""

    orders: int
    stage: Pair
    candles: str
    rows: int
    files: Pair
    whole: Pair
    fewer_pct: float


def measure(folder: Path, path: Path, what: str, rounds: int, say: Say) -> Risk:
    """The stage, then the replay of a file of candles."""
    say("risk rules: the stage alone")
    out, *_ = racers.pinned([sys.executable, str(racers.HERE / "risk_stage.py")], racers.HERE)
    stage = json.loads(out)
    plain = racers.settings(10, 20)
    sides = {"plain": plain, "all": {**plain, **everything(racers.SYMBOL)}}
    files: dict[str, list[float]] = {name: [] for name in sides}
    whole: dict[str, list[float]] = {name: [] for name in sides}
    orders: dict[str, int] = {}
    for turn in range(rounds):
        for name, values in sides.items():
            say(f"risk rules, replay, round {turn + 1}: {name}")
            run = racers.penstock([path], values, folder / "run")
            files[name].append(sum(run.phases[phase] for phase in RUN))
            whole[name].append(run.whole)
            with (folder / "run/orders.jsonl").open() as lines:
                orders[name] = sum(1 for _ in lines)
    if orders["all"] < 0.95 * orders["plain"]:
        raise SystemExit(f"the rules are not wide enough: {orders}")
    fewer = 100 - 100 * orders["all"] / orders["plain"]
    rows = candles.rows_of(path)
    return Risk(stage["orders"], Pair.of(stage), what, rows, Pair.of(files), Pair.of(whole), fewer)


def everything(symbol: str) -> dict[str, str]:
    """All rules as settings, for one symbol."""
    rules = {**RULES, "groups": {"majors": [symbol]}, "var_min_samples": 1, "var_sample": "1m", "cooldown": "1s"}
    values = {f"risk.{key}": _written(value) for key, value in rules.items()}
    for name, settings in BREAKERS.items():
        values |= {f"breakers.{name}.{key}": _written(value) for key, value in settings.items()}
    return values


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def section(risk: Risk) -> str:
    """Markdown, from its heading on."""
    stage, files, whole = risk.stage, risk.files, risk.whole
    rates = [f"{risk.orders / seconds:,.0f}" for seconds in (stage.plain, stage.all)]
    rows = [
        ["portfolio stage alone, orders/s", "25,000", *rates, f"{stage.ratio:.2f}"],
        _row(f"replay of {risk.rows:,} candles, files to files, s", files),
        _row("the same, the whole process, s", whole),
    ]
    head = ["what", "wanted with all rules", "plain", "all rules", "ratio of times"]
    return f"{TITLE}\n\n{TEXT.format(candles=risk.candles, fewer=risk.fewer_pct)}\n\n{table(head, rows)}"


def _row(what: str, pair: Pair) -> list[str]:
    return [what, "at most 1.3 times", f"{pair.plain:.2f}", f"{pair.all:.2f}", f"{pair.ratio:.2f}"]


def replaced(page: str, text: str) -> str:
    """The page with its section put in the place of the one that it has, or before the indicators."""
    before, found, after = page.partition(f"{TITLE}\n")
    if not found:
        before, found, after = page.partition("## Indicators\n")
        return f"{before}{text}\n\n{found}{after}"
    _, begun, rest = after.partition("\n## ")
    return f"{before}{text}\n{begun}{rest}"


def main() -> None:
    """Measure, and print the section; with ``--write`` it goes into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the section into docs/benchmarks.md, too")
    parser.add_argument("--rounds", type=int, default=5, help="of the replay [5]")
    arg = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        path, what = source(Path(name))
        text = section(measure(Path(name), path, what, arg.rounds, lambda line: print(line, file=sys.stderr)))
    head = "\n".join(f"- {line}" for line in [*machine(load), f"Python {platform.python_version()}"])
    text = text.replace("\n\n|", f"\n\nMeasured apart from the rest of this page:\n\n{head}\n\n|", 1)
    print(text)
    if arg.write:
        DOCS.write_text(replaced(DOCS.read_text(), text))


def source(folder: Path) -> tuple[Path, str]:
    """The real candles where they are at hand, else a random walk."""
    real = candles.real(folder / "risk.parquet")
    if real is not None:
        return real, "real candles"
    return candles.random_walk(folder / "risk.parquet", 45_000, seed=1), "a random walk"


if __name__ == "__main__":
    main()
