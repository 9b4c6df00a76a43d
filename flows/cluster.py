"""Runs a plan: in this process, or in several that find each other on the loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from time import monotonic, sleep

import numpy as np

from connectors.candle_file import CandleSeries
from connectors.kafka.survey import TopicSeries
from connectors.ports import free_addresses
from connectors.tape import Tape
from flows.plan import Plan
from flows.process import run_process
from flows.replay import dataflow
from flows.sources import Hooks, source
from flows.timing import Timing
from sinks.run_folder import Workspace

Series = CandleSeries | TopicSeries | Tape
"""What was read of a symbol when a replay was planned."""
OWN_ERROR = 3
"""Exit code of a process that met an error of its own, rather than lost its peers."""
POLL_S = 0.05
GRACE_S = 2.0
AGAIN_S = 30.0
"""Trouble with a part is told again after this time."""


class ClusterError(RuntimeError):
    """A process of the run ended before its time."""


def hooks(workspace: Workspace) -> Hooks:
    """Progress into shared memory, checkpoints and trouble with the broker into the events."""
    progress, index = workspace.progress(), {shard: i for i, shard in enumerate(workspace.shards)}
    told: dict[str, float] = {}

    def on_rows(shard: str, rows: int) -> None:
        progress[index[shard]] = rows

    def on_durable(shard: str, row: int) -> None:
        workspace.events("checkpoint.saved", shard=shard, rows=row)

    def on_trouble(part: str, text: str) -> None:
        if monotonic() - told.get(part, -AGAIN_S) >= AGAIN_S:
            told[part] = monotonic()
            workspace.events("source.trouble", shard=part, text=text)
            print(f"{part}: {text}", file=sys.stderr, flush=True)

    return Hooks(on_rows, on_durable, on_trouble)


def run_here(plan: Plan, workspace: Workspace, timing: Timing, series: Mapping[str, Series], workers: int) -> None:
    """Run the plan in this process; files as they were read when it was planned."""

    def load(shard: str) -> list[Series]:
        symbols = [symbol for item in plan.shards[shard] for symbol in item.symbols]
        found = {id(series[symbol]): series[symbol] for symbol in symbols}  # a tape may hold several
        return [one.only(symbols) if isinstance(one, Tape) else one for one in found.values()]

    flow = dataflow(plan, workspace.parts, source(plan, load, hooks(workspace)), timing)
    run_process(flow, workspace.recovery, plan.config.run.checkpoint_every_s, workers=workers)


def run_spread(plan: Plan, workspace: Workspace, *, workers: int, processes: int) -> None:
    """Run the plan in several processes. Raises ClusterError, with what it said, when one of them fails."""
    addresses = free_addresses(processes)
    with ExitStack() as stack:
        children = [stack.enter_context(_Child(workspace, addresses, number, workers)) for number in range(processes)]
        while any(child.running for child in children) and not any(child.failed for child in children):
            children[0].wait(POLL_S)
        if any(child.failed for child in children):
            # Its peers wait for it for ever: leaving the stack ends them.
            raise ClusterError(_what_failed(children))
    assert_all_read(plan, workspace)


def _what_failed(children: Sequence[_Child]) -> str:
    """The words of the process that failed by itself. One that only lost sight of it may end a moment earlier."""
    until = monotonic() + GRACE_S
    while monotonic() < until and any(child.running for child in children):
        children[0].wait(POLL_S)
    child = min((child for child in children if child.failed), key=lambda child: (child.guilt, child.number))
    return f"process {child.number} of the run ended early: {child.last_words()}; more in {child.log}"


def assert_all_read(plan: Plan, workspace: Workspace) -> None:
    """Raises ClusterError when not every row was read."""
    wanted = [sum(item.rows for item in items) for items in plan.shards.values()]
    if not np.array_equal(workspace.progress(), wanted):
        raise ClusterError(f"{workspace.path}: not all rows were read; run the same command again to go on")


class _Child:
    """One process of a cluster; ended when the block is left.

    Its standard input is a pipe that nothing is written to: it closes when this process dies in whatever way, and
    the child then ends itself.
    """

    def __init__(self, workspace: Workspace, addresses: list[str], number: int, workers: int) -> None:
        self.number, self.log = number, workspace.path / f"process-{number}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    # -P: nothing in the working directory may stand in for a package of ours.
                    *(sys.executable, "-P", "-m", "flows.worker", str(workspace.out)),
                    *("--process", str(number), "--workers", str(workers), *addresses),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # A worker keeps the workspace locked, too: it may outlive a parent that is killed by a moment.
                pass_fds=() if workspace.lock is None else (workspace.lock,),
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self._process.terminate()
        self._process.communicate()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def failed(self) -> bool:
        return self._process.poll() not in (None, 0)

    @property
    def guilt(self) -> int:
        """0 for an error of its own, 1 when a signal ended it, 2 for anything else: the peers it left alone."""
        code = self._process.poll()
        return 0 if code == OWN_ERROR else 1 if code is not None and code < 0 else 2

    def wait(self, seconds: float) -> None:
        """Until it ends, but no longer than this; when it has ended already, for this long."""
        if not self.running:
            sleep(seconds)
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def last_words(self) -> str:
        """The last line it wrote, or the signal that ended it."""
        code = self._process.poll()
        if code is not None and code < 0:
            return f"ended by {signal.Signals(-code).name}"
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), f"exit code {code}")
