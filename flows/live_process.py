"""One process of a live run: its connections, its hooks, its part of the dataflow."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import NoReturn

from connectors.kafka.candle_source import CandleTopicSource
from connectors.kafka.command_source import CommandSource
from connectors.kafka.journal_source import JournalSource
from connectors.kafka.trade_source import TradeTopicSource
from flows.deployment import Deployment
from flows.inputs import Pace
from flows.live import Ends, dataflow, portfolio_part
from flows.marks import MarkedSource
from flows.monitor import Monitor
from flows.portfolio.control.tuning import with_changeable
from flows.process import LostError, run_process
from flows.watched import WatchedSink, WatchedSource
from schemas.config.commands import SINK
from schemas.config.root import Config
from schemas.timeframe import to_millis
from sinks.kafka.events import EventTopic
from sinks.kafka.sink import KafkaSink
from sinks.state_folder import StateFolder
from sinks.vitals.server import Server

LINGER_S = 0.05
"""What shards publish beside the journal (signals, alerts, dead letters, metrics) decides nothing: a transaction takes
all of so long, and leaves the broker its time for the journal and the orders."""

PARENT = "PENSTOCK_END_WITH_PARENT"
"""Set by a parent that holds the state folder's lock and the other end of standard input."""


def end_with_parent() -> None:
    """Where a parent holds the other end of standard input: when it is gone, so is this process."""
    if os.environ.get(PARENT) == "1":
        threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    os.read(0, 1)
    os._exit(1)


def run(
    deployment: Deployment,
    folder: StateFolder,
    addresses: Sequence[str],
    process: int,
    say: Callable[[str], None],
    end: Callable[[Exception], NoReturn],
) -> None:
    """Run until interrupted. Raises what ends it: SourceError, FencedError, PublishError, StateError, ServeError.

    In a cluster what a step raises is given to ``end``, which ends the process, and LostError is raised in the others.
    """
    config, kafka = deployment.config, deployment.config.kafka
    client, portfolio = kafka.settings(), config.portfolio.name
    events = EventTopic(client, kafka.deployment, kafka.prefix)

    def failed(error: Exception) -> None:
        if addresses:
            monitor.failed(error)
            events.close()
            end(error)

    monitor = Monitor(config, say, events, process, failed)
    source = TradeTopicSource if config.market.bars.made else CandleTopicSource
    market = kafka.topic(config.market.topic)
    candles = source(
        client,
        kafka.group,
        market,
        kafka.start,
        config.run.batch_rows,
        monitor.source,
        max_ahead_ms=to_millis(config.market.max_ahead),
    )
    sink = KafkaSink(
        client,
        kafka.deployment,
        portfolio,
        [*deployment.shards, portfolio_part(config)],
        prefix=kafka.prefix,
        on_published=monitor.on_published,
        on_trouble=partial(monitor.on_trouble, "publisher"),
        log=monitor.log("publisher"),
        linger_s=dict.fromkeys(deployment.shards, LINGER_S),
        alarms="alarm" in config.senders.get(SINK, ()),
    )
    journal = JournalSource(client, kafka.group, kafka.topic("journal"), portfolio, monitor.source)
    commands = CommandSource(client, kafka.group, kafka.topic("commands"), portfolio, monitor.source)
    ends = Ends(
        WatchedSource(MarkedSource(candles, lambda part: part), monitor.watch),
        WatchedSource(MarkedSource(journal, lambda _: portfolio_part(config)), monitor.watch),
        WatchedSink(sink, monitor.watch),
        WatchedSource(MarkedSource(commands, lambda _: portfolio_part(config)), monitor.watch)
        if config.senders
        else None,
    )
    pace = Pace(config.run.checkpoint_every_s) if addresses else None
    flow = dataflow(config, deployment.shards, ends, monitor, pace, with_changeable(config, folder.began))
    with serving(config, monitor, process, say), living(monitor, events), panicking(folder):
        run_process(flow, folder.recovery, config.run.checkpoint_every_s, addresses=addresses, process=process)


@contextmanager
def serving(config: Config, monitor: Monitor, process: int, say: Callable[[str], None]) -> Iterator[None]:
    """Metrics and health over HTTP. Processes of one machine have a port each, those of a cluster the same."""
    port = config.serve.port_of(process if os.environ.get(PARENT) == "1" else 0)
    if port is None:
        yield
        return
    with Server(monitor.vitals, monitor.health, config.serve.host, port):
        if process == 0:
            host = f"[{config.serve.host}]" if ":" in config.serve.host else config.serve.host
            say(f"metrics at http://{host}:{port}/metrics, health at /health/live and /health/ready")
        yield


@contextmanager
def panicking(folder: StateFolder) -> Iterator[None]:
    """Bytewax panics when it cannot write a checkpoint, in a cluster without a word of why: the disk is asked."""
    try:
        yield
    except RuntimeError as error:
        if type(error) in (RuntimeError, LostError):
            folder.examine()
        raise


@contextmanager
def living(monitor: Monitor, events: EventTopic) -> Iterator[None]:
    """Beginning and end of this process on the topic of events."""
    monitor.event("run.started", version=version("penstock"))
    try:
        yield
    except Exception as error:
        monitor.failed(error)
        raise
    finally:
        monitor.event("run.ended")
        events.close()
