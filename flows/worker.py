"""One process of a replay's cluster: ``python -m flows.worker RUN --process N --workers W ADDRESS…``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path

from connectors.candle_file import CandleSeries
from connectors.candle_source import Load
from flows.cluster import OWN_ERROR, hooks
from flows.plan import Plan
from flows.process import run_process
from flows.replay import dataflow
from flows.timing import Timing
from sinks.run_folder import Workspace


def _end_with_parent() -> None:
    """The parent holds the other end of standard input: when it is gone, so is the run."""
    os.read(0, 1)
    os._exit(1)


def _ending(load: Load) -> Load:
    """Reads a shard, or ends this process with what is wrong: Bytewax would only tell that a cluster lost a thread."""

    def read(shard: str) -> Sequence[CandleSeries]:
        try:
            return load(shard)
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(OWN_ERROR)

    return read


def main() -> None:
    """Take the plan from the workspace and run this process's share of it. Exit code 3: an error of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--process", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("addresses", nargs="+")
    given = parser.parse_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(given.run, given.process, given.workers, given.addresses)
    except Exception:
        traceback.print_exc()
        sys.exit(OWN_ERROR)


def _run(run: Path, process: int, workers: int, addresses: list[str]) -> None:
    workspace = Workspace(run, ())
    plan = Plan.model_validate_json(workspace.plan.read_bytes())
    workspace.shards = list(plan.shards)
    flow = dataflow(plan, workspace.parts, _ending(plan.load), hooks(workspace), Timing())
    every_s = plan.config.run.checkpoint_every_s
    run_process(flow, workspace.recovery, every_s, workers=workers, addresses=addresses, process=process)


if __name__ == "__main__":
    main()
