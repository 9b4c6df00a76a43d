"""``penstock feed`` and ``penstock record``: live market data of an exchange, onto Kafka and onto disk."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import UserError
from cli.options import ConfigFile, Sets

if TYPE_CHECKING:
    from connectors.exchanges.interface import Exchange, Stream
    from connectors.kafka.connection import Connection
    from flows.feeding import Feeding
    from schemas.config.kafka import KafkaConfig
    from schemas.config.root import Config
    from sinks.capture import Capture
    from sinks.kafka.market import Market
    from sinks.vitals.feed import FeedHealth

LEAVES_WITHIN_S = 10.0
USUAL = "1m"
TOPICS = ("trades", "quotes", "candles", "alerts", "metrics")

Name = Annotated[str, typer.Option("--exchange", metavar="NAME", help="See `penstock exchanges list`.")]
Symbols = Annotated[str, typer.Option(metavar="S,S…", help="Markets as ccxt writes them: BTC/USDT,ETH/USDT.")]
Streams = Annotated[
    str, typer.Option(metavar="KIND,…", help="Of trades, quotes, candles. Without it: all that the exchange has.")
]
Timeframe = Annotated[
    str, typer.Option(metavar="1m", help="Of the exchange's own candles. Without it: 1m, or the shortest that it has.")
]
SocketUrl = Annotated[str | None, typer.Option(metavar="URL", help="Another address of the exchange's websocket.")]
RestUrl = Annotated[str | None, typer.Option(metavar="URL", help="… and of its REST.")]


def feed(
    exchange: Name,
    symbols: Symbols,
    streams: Streams = "",
    timeframe: Timeframe = "",
    record: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also keep every frame below this folder, as it came.")
    ] = None,
    socket_url: SocketUrl = None,
    rest_url: RestUrl = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Publish live trades, quotes and candles of an exchange. Stop it with Ctrl-C or SIGTERM.

    Lost connections are made anew, and what was missed is asked for and put in its place. No keys are needed.
    """
    from cli.exchanges import known
    from schemas.config.load import load

    at = known(exchange, socket_url, rest_url)
    settings = load(config, os.environ, sets or ()).config
    _run(at, _listed(symbols, "--symbols"), _streams(streams, at), timeframe, settings, settings.kafka, record)


def record(
    exchange: Name,
    symbols: Symbols,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to record to.")],
    streams: Streams = "",
    timeframe: Timeframe = "",
    socket_url: SocketUrl = None,
    rest_url: RestUrl = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Keep every frame of an exchange on disk, as it came and when, without Kafka. Stop it with Ctrl-C or SIGTERM.

    `penstock replay DIR/EXCHANGE` makes of it what a live feed would have made.
    """
    from cli.exchanges import known
    from schemas.config.load import load

    at = known(exchange, socket_url, rest_url)
    settings = load(config, os.environ, sets or ()).config
    _run(at, _listed(symbols, "--symbols"), _streams(streams, at), timeframe, settings, None, out)


def _listed(text: str, option: str) -> list[str]:
    found = [part.strip() for part in text.split(",")]
    if "" in found:
        raise UserError(f"{option} {text!r}: write names with commas between them")
    double = {name for name in found if found.count(name) > 1}
    if double:
        raise UserError(f"{option} names {', '.join(sorted(double))} twice")
    return found


def _streams(text: str, exchange: Exchange) -> list[Stream]:
    return _listed(text, "--streams") if text else list(exchange.streams)  # type: ignore[return-value]


def _shortest(exchange: Exchange) -> str:
    from schemas.timeframe import to_millis

    return USUAL if USUAL in exchange.timeframes else min(exchange.timeframes, key=to_millis, default=USUAL)


def _run(
    exchange: Exchange,
    symbols: list[str],
    streams: list[Stream],
    timeframe: str,
    config: Config,
    kafka: KafkaConfig | None,
    folder: Path | None,
) -> None:
    from importlib.metadata import version

    from flows.feeding import Ends, Feeding
    from sinks.vitals.feed import FeedHealth, FeedVitals
    from sinks.vitals.server import Server

    timeframe = timeframe or _shortest(exchange)
    try:
        sockets = len(exchange.sockets(symbols, streams, timeframe))
    except ValueError as wrong:
        raise UserError(str(wrong)) from None
    market: Market | None = None
    vitals = FeedVitals(version("penstock"), exchange.id, sockets, lambda: market.undelivered if market else 0)
    health = FeedHealth(vitals)
    market = _market(kafka, health, exchange.id) if kafka is not None else None
    capture = _capture(folder, exchange.id) if folder is not None else None
    feeding = Feeding(exchange, symbols, streams, timeframe, Ends(vitals, health, market, capture, _say))
    code = _obey(feeding, market)
    serve = config.serve
    with Server(vitals, health, serve.host, serve.feed_port, "feed_port") if serve.feed_port else nullcontext():
        places = [f"Kafka at {kafka.bootstrap_servers}"] if kafka is not None else []
        places += [str(folder / exchange.id)] if folder is not None else []
        several = f"{_count(len(symbols), 'market')} of {exchange.id} on {_count(sockets, 'socket')}"
        told = [f"{timeframe} {one}" if one == "candles" else one for one in streams]
        _say(f"{', '.join(told)} of {several}, to {' and '.join(places)}")
        feeding.run()
    told = [f"{market.delivered:,} messages published"] if market is not None else []
    told += [f"{capture.frames:,} frames recorded"] if capture is not None else []
    _say(f"ended: {', '.join(told)}")
    raise typer.Exit(code[0] if code else 0)


def _market(kafka: KafkaConfig, health: FeedHealth, exchange: str) -> Market:
    from confluent_kafka import Producer

    from connectors.kafka.admin import Topics
    from connectors.kafka.connection import Connection
    from connectors.sharding import shard_of
    from sinks.kafka.market import SETTINGS, Market

    connection = Connection(kafka)
    names = Topics(connection).names()
    missing = [kafka.topic(name) for name in TOPICS if kafka.topic(name) not in names]
    if missing:
        raise UserError(f"{kafka.bootstrap_servers} has no topic {', '.join(missing)}: penstock topics create")

    producer, partitions = connection.client(Producer, SETTINGS), names[kafka.topic("trades")]
    market = Market(producer, kafka.prefix, partitions, shard_of, health.beat)
    _alone(connection, market, kafka.topic("metrics"), exchange)
    return market


def _alone(connection: Connection, market: Market, topic: str, exchange: str) -> None:
    """Look for the feed of another exchange, tell of this one, and look for one that began at the same time."""
    import time
    from uuid import uuid4

    from connectors.feed.reports import METRIC
    from connectors.kafka.beside import KEY, OPENED, WITHIN_MS, fed_beside

    key = ""
    for _ in range(2):
        now = int(time.time() * 1_000)
        if (found := fed_beside(connection, topic, exchange, now, key)) is not None:
            other, ago = found
            raise UserError(
                f"{other} is fed onto the topics of this kafka.prefix, too (its feed told of itself {ago // 1_000} s "
                f"ago), and trades of two exchanges would make one candle: set another kafka.prefix for {exchange}; "
                f"or, if the feed of {other} has ended for good, try again in {WITHIN_MS // 60_000} minutes"
            )
        if not key:
            key = uuid4().hex
            labels = {"exchange": exchange, KEY: key}
            market.publish([("metrics", METRIC(ts=now, name=OPENED, value=1.0, labels=labels))])
            market.finish()


def _capture(folder: Path, name: str) -> Capture:
    from sinks.capture import Capture

    (folder / name).mkdir(parents=True, exist_ok=True)  # now, and not when the first frame comes
    return Capture(folder, name)


def _obey(feeding: Feeding, market: Market | None) -> list[int]:
    """End on SIGTERM and Ctrl-C. Returns a list that holds the exit code then."""
    code: list[int] = []

    def end(number: int, _: object) -> None:
        if code:
            return
        code.append(0 if number == signal.SIGTERM else 130)
        leave = threading.Timer(LEAVES_WITHIN_S, _leave, (market,))
        leave.daemon = True
        leave.start()
        feeding.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return code


def _leave(market: Market | None) -> None:
    """Kafka does not take what is left, or a disk hangs."""
    left = market.undelivered if market is not None else 0
    _say(f"penstock: ended, but {left:,} messages were not delivered within {LEAVES_WITHIN_S:.0f} s")
    os._exit(1)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
