"""The end of a run: parts become files, files become figures, and the run folder appears at once."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from connectors.cells import Floats
from flows.columns import Candles
from flows.market.checks import Checks
from flows.plan import Plan
from flows.timing import Timing
from schemas.batch import CandleBatch
from schemas.candle import Candle
from schemas.summary import Summary
from sinks.columns import picked, read_lines, read_run
from sinks.gather import gather, output_hash
from sinks.report.bars import OHLC
from sinks.report.html import write_report
from sinks.run_folder import Workspace
from sinks.summary.summarise import write_summary
from sinks.tables import write_equity, write_trades

PACKAGES = ("penstock", "bytewax", "numba", "numpy", "pyarrow", "pydantic", "msgspec")
_FIGURES = ("open", "high", "low", "close", "volume")


class Series(OHLC, Protocol):
    """The candles of one symbol, as they were read."""

    @property
    def symbol(self) -> str:
        """Its name."""

    @property
    def timeframe_ms(self) -> int:
        """How long each lasts."""

    @property
    def volume(self) -> Floats:
        """Volumes."""

    def __len__(self) -> int:
        """How many there are."""


def finish(
    plan: Plan,
    workspace: Workspace,
    series: Mapping[str, Any],
    timing: Timing,
    settings: Mapping[str, Any],
    how: Mapping[str, int],
) -> Summary:
    """Write everything that is made of the parts, and publish. ``series`` is what was read, by symbol: candles are
    drawn; of trades, the candles that were made of them. ``settings`` is the configuration in words for ``run.json``,
    ``how`` the number of workers and processes.
    """
    out = workspace.finished
    out.mkdir(exist_ok=True)
    with timing("gather"):
        digests = gather(workspace.parts, out)
        state = (workspace.parts / plan.portfolio / "state.jsonl").read_bytes()
        (out / "state.json").write_bytes(msgspec.json.format(state) + b"\n")
    with timing("summary"):
        columns = read_run(out)
        write_trades(out, columns.trades)
        write_equity(out, columns.curve)
        summary = write_summary(out, columns)
    hashed = output_hash(digests)
    run = {
        "run": workspace.out.name,
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "inputs": [item.model_dump() for item in plan.inputs],
        "output_hash": hashed,
        "outputs": digests,
        "how": dict(how),
        "seconds": {},
        "configuration": dict(settings),
    }
    _write_run(out / "run.json", run, timing)
    if plan.config.run.html:
        with timing("report"):
            write_report(out, _drawn(plan, out, series), columns, summary)
        _write_run(out / "run.json", run, timing)
    workspace.events("run.finished", output_hash=hashed, trades=summary.account.trades.trades)
    workspace.publish()
    return summary


def _write_run(path: Path, run: dict[str, Any], timing: Timing) -> None:
    run["seconds"] = {phase: round(seconds, 4) for phase, seconds in timing.seconds.items()}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")


def _drawn(plan: Plan, out: Path, series: Mapping[str, Series]) -> dict[str, Candles]:
    if plan.of != "trades":
        return {symbol: accepted(one) for symbol, one in series.items()}
    return made_of_trades(out / "bars.jsonl", plan.config.market.bars.kinds[0])


def made_of_trades(bars: Path, kind: str) -> dict[str, Candles]:
    """The candles that strategies saw, by symbol, from the records of the topic ``bars``."""
    found: dict[str, list[Any]] = {}
    for row in read_lines(bars, picked(Candle, "symbol", "timeframe", "ts", *_FIGURES)):
        if row.timeframe == kind:
            found.setdefault(row.symbol, []).append(row)
    drawn = {}
    for symbol, rows in sorted(found.items()):
        columns = (np.array([getattr(row, name) for row in rows]) for name in ("ts", *_FIGURES))
        drawn[symbol] = Candles(np.zeros(len(rows), np.int32), 1, *columns)
    return drawn


def accepted(series: Series) -> Candles:
    """The candles of a symbol that the market stage took, to be drawn."""
    slot = np.zeros(len(series), np.int32)
    columns = (series.ts, series.open, series.high, series.low, series.close, series.volume)
    step = np.array([series.timeframe_ms])
    batch = CandleBatch("", (series.symbol,), ("",), step, slot, *columns, np.arange(len(series)))
    good = Checks(0)(batch, slot, step).verdict == 0
    return Candles(slot, 1, *columns)[good]
