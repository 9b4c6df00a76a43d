"""``penstock publish``: recorded candles or trades onto the market topics."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import UserError
from cli.options import ConfigFile, Sets

if TYPE_CHECKING:
    from connectors.recorded import Refused
    from schemas.candle import Candle
    from schemas.clock import Clock
    from schemas.config.root import Config
    from schemas.trade import Trade

    Row = Candle | Trade | Clock | Refused

SHOWN = 20


def publish(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Files of candles, or of trades (CSV, CSV.gz, Feather, Parquet)."),
    ],
    speed: Annotated[
        str, typer.Option(metavar="max|Nx", help="max, or times real time by the rows' own times: 1x, 60x.")
    ] = "max",
    topic: Annotated[
        str | None,
        typer.Option(help="Topic to publish to, without the prefix. Without it: candles, or trades."),
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Symbol of a single file, as in BTC/USDT.")] = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Publish recorded candles or trades in the order of their times, each to the partition of its symbol.

    Between trades go clocks, as a feed sends them. Rows that are none are not published but reported with their
    number; the exit code is 1 then. Publishing twice puts everything there twice; a run refuses that, and whatever is
    older than what it has seen of other symbols.
    """
    import os

    from confluent_kafka import Producer

    from cli.progress import shown
    from connectors.kafka.admin import Topics
    from connectors.kafka.connection import Connection
    from flows.tapes import are_trades
    from schemas.config.load import load
    from schemas.topics import TOPICS
    from sinks.kafka.recording import SETTINGS, Recording

    pace = _pace(speed)
    settings = load(config, os.environ, sets or ()).config
    if symbol is not None and len(paths) > 1:
        raise UserError(f"--symbol names one market, but there are {len(paths)} files: name them as freqtrade does")
    what = "trades" if are_trades(paths) else "candles"
    if topic in TOPICS and TOPICS[topic].record is not TOPICS[what].record:
        raise UserError(f"--topic {topic} is for other records: {what} go to {what}, or to a topic of your own")
    count, rows = _trades(paths, symbol) if what == "trades" else _candles(paths, symbol, settings)
    connection = Connection(settings.kafka)
    name, there = settings.kafka.topic(topic or what), Topics(connection).names()
    if name not in there:
        raise UserError(f"{settings.kafka.bootstrap_servers} has no topic {name}: penstock topics create")
    refused: list[Refused] = []
    recording = Recording(connection.client(Producer, SETTINGS), name, partitions=there[name])
    began = perf_counter()
    try:
        with shown(count, lambda: recording.delivered + len(refused), "publishing"):
            recording.publish(_good(rows, refused), pace)
    except KeyboardInterrupt:
        recording.finish()
        print(f"interrupted: {recording.delivered:,} {what} are published", file=sys.stderr)
        raise typer.Exit(130) from None
    took = perf_counter() - began
    print(f"{recording.delivered:,} {what} published to {name} in {took:.2f} s, {recording.delivered / took:,.0f} a s")
    _report(refused, what)


def _pace(speed: str) -> float | None:
    if speed == "max":
        return None
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)x", speed)
    if found is None or float(found[1]) == 0:
        raise UserError(f"--speed {speed}: write max, or how many times real time: 1x, 60x")
    return float(found[1])


def _candles(paths: list[Path], symbol: str | None, config: Config) -> tuple[int, Iterator[Row]]:
    """How many rows some files have, and what they are."""
    from connectors.candle_file import read_candles
    from connectors.recorded import recorded
    from connectors.sharding import merge

    series = [read_candles(path, symbol=symbol, file_time=config.market.file_time) for path in paths]
    for one in series:
        _tell(one.path, one.notes)
    return sum(map(len, series)), recorded(merge(series))


def _trades(paths: list[Path], symbol: str | None) -> tuple[int, Iterator[Row]]:
    """The same of trades."""
    from connectors.recorded_trades import recorded_trades
    from connectors.trade_file import read_trades
    from connectors.trade_recording import is_recording

    if recording := next(filter(is_recording, paths), None):
        raise UserError(f"{recording} is a recording of frames: penstock replay takes it, publish takes files of rows")
    tapes = [read_trades(path, symbol=symbol) for path in paths]
    for one in tapes:
        _tell(one.paths[0], one.notes)
    return sum(map(len, tapes)), recorded_trades(tapes)


def _tell(path: Path | str, notes: Iterable[str]) -> None:
    for note in notes:
        print(f"{path}: {note}", file=sys.stderr)


def _good(rows: Iterable[Row], refused: list[Refused]) -> Iterator[Candle | Trade | Clock]:
    from connectors.recorded import Refused

    for row in rows:
        if isinstance(row, Refused):
            refused.append(row)
        else:
            yield row


def _report(refused: list[Refused], what: str) -> None:
    for row in refused[:SHOWN]:
        print(row, file=sys.stderr)
    if len(refused) > SHOWN:
        print(f"and {len(refused) - SHOWN:,} more", file=sys.stderr)
    if refused:
        print(f"penstock: {len(refused):,} rows are no {what} and were not published", file=sys.stderr)
        raise typer.Exit(1)
