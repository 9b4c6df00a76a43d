"""``penstock publish``: recorded candles onto the market topic."""

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
    from connectors.sharding import ShardColumns
    from schemas.candle import Candle
    from schemas.config.root import Config

SHOWN = 20


def publish(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Candle files (CSV, CSV.gz, Feather, Parquet), one a symbol.")
    ],
    speed: Annotated[
        str, typer.Option(metavar="max|Nx", help="max, or times real time by the candles' own times: 1x, 60x.")
    ] = "max",
    topic: Annotated[str, typer.Option(help="Topic to publish to, without the prefix.")] = "candles",
    symbol: Annotated[str | None, typer.Option(help="Symbol of a single file, as in BTC/USDT.")] = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Publish recorded candles in the order of their times, each to the partition of its symbol.

    Rows that are no candles are not published but reported with their number; the exit code is 1 then. Publishing twice
    puts every candle there twice; a run refuses those, and whatever is older than what it has seen of other symbols.
    """
    import os

    from cli.progress import shown
    from connectors.kafka.admin import Topics
    from connectors.kafka.connection import Connection
    from schemas.candle import Candle as CandleRecord
    from schemas.config.load import load
    from schemas.topics import TOPICS
    from sinks.kafka.recording import SETTINGS, Recording

    pace = _pace(speed)
    if topic in TOPICS and TOPICS[topic].record is not CandleRecord:
        raise UserError(f"--topic {topic} is for other records: candles go to candles, or to a topic of your own")
    settings = load(config, os.environ, sets or ()).config
    columns = _read(paths, symbol, settings)
    connection = Connection(settings.kafka)
    name = settings.kafka.topic(topic)
    if name not in Topics(connection).names():
        raise UserError(f"{settings.kafka.bootstrap_servers} has no topic {name}: penstock topics create")
    from confluent_kafka import Producer

    from connectors.recorded import recorded

    refused: list[Refused] = []
    recording = Recording(connection.client(Producer, SETTINGS), name)
    began = perf_counter()
    try:
        with shown(len(columns), lambda: recording.delivered + len(refused), "publishing"):
            recording.publish(_good(recorded(columns), refused), pace)
    except KeyboardInterrupt:
        recording.finish()
        print(f"interrupted: {recording.delivered:,} candles are published", file=sys.stderr)
        raise typer.Exit(130) from None
    took = perf_counter() - began
    print(f"{recording.delivered:,} candles published to {name} in {took:.2f} s, {recording.delivered / took:,.0f} a s")
    _report(refused)


def _pace(speed: str) -> float | None:
    if speed == "max":
        return None
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)x", speed)
    if found is None or float(found[1]) == 0:
        raise UserError(f"--speed {speed}: write max, or how many times real time: 1x, 60x")
    return float(found[1])


def _read(paths: list[Path], symbol: str | None, config: Config) -> ShardColumns:
    from connectors.candle_file import read_candles
    from connectors.sharding import merge

    if symbol is not None and len(paths) > 1:
        raise UserError(f"--symbol names one market, but there are {len(paths)} files: name them as freqtrade does")
    series = [read_candles(path, symbol=symbol, file_time=config.market.file_time) for path in paths]
    for one in series:
        for note in one.notes:
            print(f"{one.path}: {note}", file=sys.stderr)
    return merge(series)


def _good(rows: Iterable[Candle | Refused], refused: list[Refused]) -> Iterator[Candle]:
    from connectors.recorded import Refused

    for row in rows:
        if isinstance(row, Refused):
            refused.append(row)
        else:
            yield row


def _report(refused: list[Refused]) -> None:
    for row in refused[:SHOWN]:
        print(row, file=sys.stderr)
    if len(refused) > SHOWN:
        print(f"and {len(refused) - SHOWN:,} more", file=sys.stderr)
    if refused:
        print(f"penstock: {len(refused):,} rows are no candles and were not published", file=sys.stderr)
        raise typer.Exit(1)
