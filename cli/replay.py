"""``penstock replay``: recorded candles or trades through the operators, into a run folder."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import UserError
from cli.options import ConfigFile, Sets

if TYPE_CHECKING:
    from cli.replaying import Made, Make
    from flows.plan import Plan
    from schemas.config.root import Config

PathsArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH", help="Files of candles or trades (CSV, CSV.gz, Feather, Parquet), or recordings."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Run folder; without it, runs/SYMBOL-STRATEGY-TIME.")
]
TIMES = "ISO 8601 (UTC without an offset), epoch ms, or how long ago: 24h"


def replay(
    paths: PathsArgument = None,
    symbol: Annotated[str | None, typer.Option(help="Symbol of a single file, as in BTC/USDT.")] = None,
    exchange: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a recording that does not say of which exchange it is.")
    ] = None,
    from_kafka: Annotated[
        bool, typer.Option("--from-kafka", help="Replay what is on the broker (section kafka) instead of files.")
    ] = False,
    of: Annotated[
        str | None, typer.Option(metavar="candles|journal", help="From Kafka: the candles, or a portfolio's journal.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help=f"From Kafka: candles that close after it. {TIMES}.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="From Kafka: … and not after this one.")] = None,
    commands: Annotated[
        Path | None,
        typer.Option("--commands", metavar="FILE", help="Commands, one JSON record a line, each obeyed at its time."),
    ] = None,
    config: ConfigFile = None,
    sets: Sets = None,
    out: OutOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Bytewax workers (threads) in each process.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    html: Annotated[bool, typer.Option("--html/--no-html", help="Write summary.html.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run folder if it is there.")] = False,
) -> None:
    """Replay recorded candles or trades through the operators, into a run folder.

    Of trades, candles are made first: those of market.bars, without it of 1m. Strategies see the first of them, the
    run folder has all (bars.jsonl).

    An interrupted run goes on from its last checkpoint when the same command is given again, with the same --out and
    without --overwrite. The outputs do not depend on workers, processes, or interruptions.

    From Kafka, --of journal replays what a live portfolio was told through the portfolio alone: its orders again or,
    with other settings, what they would have been.
    """
    from cli.replaying import run  # only now: help need not wait for the compiler and the dataflow

    kafka = {"--of": of, "--since": since, "--until": until}
    if from_kafka:
        if exchange is not None:
            raise UserError(f"--exchange {exchange} is for recordings; on a topic nothing depends on it")
        make = _topics(paths, symbol, of or "candles", since, until)
    else:
        make = _files(paths, symbol, exchange, kafka)
    if commands is not None:
        make = _steered(make, commands, of if from_kafka else None)
    settings = [*(sets or ()), *([] if html else ["run.html=false"])]
    run(make, config, settings, out, workers=workers, processes=processes, overwrite=overwrite)


def _files(paths: list[Path] | None, symbol: str | None, exchange: str | None, kafka: dict[str, str | None]) -> Make:
    from connectors.capture import KINDS
    from connectors.trade_recording import is_recording
    from flows.plan import make_plan
    from flows.tapes import are_trades, make_trades_plan

    for name, value in kafka.items():
        if value is not None:
            raise UserError(f"{name} {value}: it belongs to --from-kafka; files are replayed whole")
    if not paths:
        raise UserError("name files of candles or trades (PATH…), or --from-kafka to replay what is on the broker")
    recordings = [path for path in paths if is_recording(path)]
    if symbol is not None and recordings:
        raise UserError(f"--symbol {symbol} names the market of a file; in {recordings[0]} each frame says its own")
    if exchange is not None and not recordings:
        raise UserError(
            f"--exchange {exchange} is for recordings (*{', *'.join(KINDS)}, folders); there is none among the files"
        )
    if are_trades(paths):
        return lambda config, _: make_trades_plan(paths, symbol, config, version("penstock"), exchange)
    return lambda config, _: make_plan(paths, symbol, config, version("penstock"))


def _steered(make: Make, path: Path, of: str | None) -> Make:
    """The same plan, with commands."""
    from connectors.commands_file import read_commands

    if of == "journal":
        raise UserError(f"--commands {path}: the journal holds the commands that were given already")

    def made(config: Config, earlier: Plan | None) -> Made:
        commands = read_commands(path, config.portfolio.name)  # first: what is wrong in them is told at once
        plan, series = make(config, earlier)
        return plan.model_copy(update={"commands": commands}), series

    return made


def _topics(paths: list[Path] | None, symbol: str | None, of: str, since: str | None, until: str | None) -> Make:
    from cli.instant import millis
    from flows.kafka_plan import Wanted, make_kafka_plan
    from schemas.window import Window

    if paths:
        raise UserError(f"{paths[0]} and --from-kafka: replay either files or what is on the broker")
    if symbol is not None:
        raise UserError(f"--symbol {symbol} names the market of a file; on a topic each candle says its own")
    if of not in ("candles", "journal"):
        raise UserError(f"--of {of}: write candles or journal")
    bounds = {"since": millis(since, "--since")} if since is not None else {}
    bounds |= {"until": millis(until, "--until")} if until is not None else {}
    window = Window(**bounds)
    if window.since >= window.until:
        raise UserError(f"--since {since} is not before --until {until}: nothing lies between them")
    wanted = Wanted("candles" if of == "candles" else "journal", window, (since, until))
    return lambda config, unfinished: make_kafka_plan(wanted, config, version("penstock"), _trouble, unfinished)


def _trouble(part: str, text: str) -> None:
    print(f"{part}: {text}", file=sys.stderr, flush=True)
