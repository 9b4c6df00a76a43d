"""A replay from start to finish: plan, workspace, dataflow, run folder, summary."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import typer
from rich.console import Console

from cli.errors import UserError
from cli.options import load_checked
from cli.progress import shown
from flows.cluster import Series, run_here, run_spread
from flows.finish import finish
from flows.kernel import announce_compiling, warm
from flows.plan import Plan
from flows.portfolio.gates.stop import UNGUARDED
from flows.registry import parameters
from flows.timing import Timing
from schemas.config.doubts import doubts
from schemas.config.load import Loaded
from schemas.config.root import Config
from schemas.config.secrets import is_secret
from schemas.config.show import as_json
from schemas.summary import Summary
from sinks.run_folder import Workspace
from sinks.summary.table import summary_tables
from sinks.tables import iso

Made = tuple[Plan, Mapping[str, Series]]
Make = Callable[[Config, Plan | None], Made]
"""Reads what is to be replayed and plans it: configuration, and the plan of the run that --out holds unfinished."""


def run(
    make: Make,
    config: Path | None,
    sets: Sequence[str],
    out: Path | None,
    *,
    workers: int,
    processes: int,
    overwrite: bool,
) -> None:
    """Do what ``penstock replay`` was asked for. Raises what is wrong with inputs, configuration or folders."""
    began = perf_counter()
    timing = Timing()
    loaded = load_checked(config, list(sets))
    for doubt in doubts(loaded.config):
        _say(f"note: {doubt}")
    announce_compiling(lambda: _say("compiling the kernels: first use on this machine, cached afterwards"))
    with timing("compiler"):
        warm()
    with timing("read"):
        plan, series = make(loaded.config, None if out is None or overwrite else _unfinished(out))
    workspace = _begin(plan, out or _default_out(plan), overwrite)
    progress = workspace.progress()
    with _interruptible(workspace):
        with shown(plan.rows, lambda: int(progress.sum())), timing("flow"):
            if processes == 1:
                run_here(plan, workspace, timing, series, workers)
            else:
                run_spread(plan, workspace, workers=workers, processes=processes)
        how = {"workers": workers, "processes": processes}
        summary = finish(plan, workspace, series, timing, _in_words(loaded, plan), how)
    _show(summary, plan, workspace.out, perf_counter() - began)
    _warn(summary, plan, workspace.out)


def _command() -> str:
    """The command line, without the values of secrets."""
    words = []
    for word in sys.argv[1:]:
        key, given, value = word.rpartition("--set=")[2].partition("=")
        hidden = given and any(is_secret(part) for part in (key, key.rpartition(".")[2]))
        words.append(word.removesuffix(value) + "***" if hidden and value else word)
    return shlex.join(words)


def _unfinished(out: Path) -> Plan | None:
    """The plan of the run that was to become this folder; None when there is none that could go on."""
    try:
        return Plan.model_validate_json(Workspace(out, ()).plan.read_bytes())
    except (OSError, ValueError):
        return None


def _begin(plan: Plan, out: Path, overwrite: bool) -> Workspace:
    """Make or take up the workspace, and say what is going to be read.

    Raises UserError for a folder without a name, and for one to be replaced that is no run folder.
    """
    if out.name in ("", ".."):
        raise UserError(f"--out {out}: name a folder of its own for the run, as in --out runs/NAME")
    if overwrite and out.exists() and not (out / "run.json").is_file():
        raise UserError(f"{out} is not a run folder (it has no run.json), so --overwrite leaves it: give another --out")
    workspace = Workspace(out, list(plan.shards))
    resumed = workspace.begin(plan.model_dump_json(indent=2), overwrite=overwrite)
    workspace.events("run.resumed" if resumed else "run.started", command=_command())
    for item in plan.inputs:
        workspace.events("data.loaded", **item.told)
        for note in item.notes:
            _say(f"{item.name}: {note}")
    if plan.commands:
        workspace.events("commands.loaded", commands=len(plan.commands))
    if resumed:
        _say(f"going on from the last checkpoint in {workspace.path}")
    return workspace


@contextmanager
def _interruptible(workspace: Workspace) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run in good order, with a word on how to go on."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        _say(
            f"\ninterrupted: the same command goes on from the last checkpoint in {workspace.path}, "
            f"given with --out {workspace.out} and without --overwrite"
        )
        raise typer.Exit(130) from None


def _show(summary: Summary, plan: Plan, out: Path, seconds: float) -> None:
    console = Console()
    for table in summary_tables(summary):
        console.print(table)
    print(f"{plan.rows:,} {'trades' if plan.of == 'trades' else 'candles'} in {seconds:.2f} s")
    print(f"run folder  {out}")
    if plan.config.run.html:
        print(f"report      {out / 'summary.html'}")


def _warn(summary: Summary, plan: Plan, out: Path) -> None:
    """What a table of figures would let go unnoticed."""
    for line in (out / "alerts.jsonl").read_text(encoding="utf-8").splitlines():
        alert = json.loads(line)
        if alert["level"] == "critical" or alert["code"] in UNGUARDED:
            whose = f"strategy {alert['strategy']}: " if alert["strategy"] else ""
            _say(f"{alert['level']}, at {iso(np.array([alert['ts']]))[0]}: {whose}{alert['message']}")
    if plan.commands:
        replies = [json.loads(line) for line in (out / "replies.jsonl").read_text(encoding="utf-8").splitlines()]
        codes = Counter(row["code"] for row in replies if row["status"] == "refused")
        if codes:
            told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
            _say(f"{codes.total()} of {len(plan.commands)} commands were refused: {told}")
    refused = sum(summary.dead_letters.values())
    if refused:
        _say(f"{refused:,} of {plan.rows:,} rows were refused: each is in {out / 'deadletters.jsonl'}, with the reason")
    if not any("/" in symbol for symbol in plan.symbols):
        _say(
            f"no symbol tells its currency: accounted in {plan.config.portfolio.currency} (portfolio.currency names it)"
        )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _default_out(plan: Plan) -> Path:
    symbols = [symbol.replace("/", "_").replace(":", "_").lower() for symbol in plan.symbols]
    what = symbols[0] if len(symbols) == 1 else f"{len(symbols)}-symbols"
    return Path("runs") / f"{what}-{_labels(plan.config)}-{datetime.now(UTC):%Y%m%d-%H%M%S}"


def _labels(config: Config) -> str:
    labels = [strategy.label for strategy in config.strategies]
    return labels[0] if len(labels) == 1 else f"{len(labels)}-strategies"


def _in_words(loaded: Loaded, plan: Plan) -> dict[str, Any]:
    full = [parameters(strategy, index) for index, strategy in enumerate(loaded.config.strategies)]
    # The plan's own settings: what was left to the files (the account's currency) has its value there.
    return as_json(replace(loaded, config=plan.config), full)
