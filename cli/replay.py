"""``penstock replay``: recorded candles through the operators, into a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ConfigFile, Sets

PathsArgument = Annotated[
    list[Path], typer.Argument(metavar="PATH…", help="Candle files (CSV, CSV.gz, Feather, Parquet), one a symbol.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Run folder; without it, runs/SYMBOL-STRATEGY-TIME.")
]


def replay(
    paths: PathsArgument,
    symbol: Annotated[str | None, typer.Option(help="Symbol of a single file, as in BTC/USDT.")] = None,
    config: ConfigFile = None,
    sets: Sets = None,
    out: OutOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Bytewax workers (threads) in each process.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    html: Annotated[bool, typer.Option("--html/--no-html", help="Write summary.html.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run folder if it is there.")] = False,
) -> None:
    """Replay recorded candles through the operators, into a run folder.

    An interrupted run goes on from its last checkpoint when the same command is given again, with the same --out and
    without --overwrite. The outputs do not depend on workers, processes, or interruptions.
    """
    from cli.replaying import run  # only now: help need not wait for the compiler and the dataflow

    settings = [*(sets or ()), *([] if html else ["run.html=false"])]
    run(paths, symbol, config, settings, out, workers=workers, processes=processes, overwrite=overwrite)
