"""One process of a live run: its connections, its hooks, its part of the dataflow."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from time import monotonic, sleep

from connectors.kafka.candle_source import CandleTopicSource
from connectors.kafka.journal_source import JournalSource
from flows.deployment import Deployment, open_state
from flows.live import Ends, dataflow, portfolio_part
from flows.process import run_process
from flows.timing import Timing
from sinks.kafka.sink import KafkaSink
from sinks.state_folder import StateError, StateFolder


PARENT = "PENSTOCK_END_WITH_PARENT"
STATE_WITHIN_S = 120.0


def end_with_parent() -> None:
    """Where a parent holds the other end of standard input: when it is gone, so is this process."""
    if os.environ.get(PARENT) == "1":
        threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    os.read(0, 1)
    os._exit(1)


def join_state(deployment: Deployment, folder: StateFolder, process: int, processes: int, *, accept: bool) -> None:
    """The state of a cluster over several machines: the first process prepares it, the others find it prepared.

    Raises StateError when it is not there within two minutes.
    """
    if os.environ.get(PARENT) == "1":
        return  # the parent has opened it, and holds the lock
    if process == 0:
        open_state(deployment, folder, processes=processes, rebuild=False, accept=accept)
        return
    until = monotonic() + STATE_WITHIN_S
    while folder.fresh:
        if monotonic() > until:
            raise StateError(f"{folder.path}: process 0 has not prepared it: is --state the same folder for all?")
        sleep(0.2)


def run(deployment: Deployment, folder: StateFolder, addresses: Sequence[str], process: int) -> None:
    """Run until interrupted. Raises what ends it: SourceError, FencedError, PublishError."""
    config, timing = deployment.config, Timing()
    kafka = config.kafka
    client, portfolio = kafka.settings(), config.portfolio.name
    ends = Ends(
        candles=CandleTopicSource(client, kafka.group, kafka.topic("candles"), kafka.start, config.run.batch_rows),
        journal=JournalSource(client, kafka.group, kafka.topic("journal"), portfolio),
        topics=KafkaSink(
            client, kafka.deployment, portfolio, [*deployment.shards, portfolio_part(config)], prefix=kafka.prefix
        ),
    )
    flow = dataflow(config, deployment.shards, ends, timing, lambda *_: None)
    run_process(flow, folder.recovery, config.run.checkpoint_every_s, addresses=addresses, process=process)
