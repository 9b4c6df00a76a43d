"""One process of a replay's cluster: ``python -m flows.worker RUN --process N --workers W ADDRESS…``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from flows.cluster import OWN_ERROR, hooks
from flows.leaving import leave
from flows.plan import Plan
from flows.process import LostError, run_process
from flows.replay import dataflow
from flows.sources import source
from flows.tapes import loader
from flows.timing import Timing
from sinks.run_folder import Workspace


def _end_with_parent() -> None:
    """The parent holds the other end of standard input: when it is gone, so is the run."""
    os.read(0, 1)
    os._exit(1)


def _end() -> NoReturn:
    """End this process with what is wrong: Bytewax would only tell that a cluster lost a thread."""
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(OWN_ERROR)


class _EndingPart(StatefulSourcePartition[Any, Any]):
    def __init__(self, part: StatefulSourcePartition[Any, Any]) -> None:
        self._part = part

    def next_batch(self) -> Any:
        try:
            return self._part.next_batch()
        except StopIteration:
            raise
        except Exception:
            _end()

    def next_awake(self) -> datetime | None:
        return self._part.next_awake()

    def snapshot(self) -> Any:
        return self._part.snapshot()

    def close(self) -> None:
        self._part.close()


class _Ending(FixedPartitionedSource[Any, Any]):
    """The same source. What goes wrong with it ends this process."""

    def __init__(self, source: FixedPartitionedSource[Any, Any]) -> None:
        self._source = source

    def list_parts(self) -> list[str]:
        return self._source.list_parts()

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> StatefulSourcePartition[Any, Any]:
        try:
            return _EndingPart(self._source.build_part(step_id, for_part, resume_state))
        except Exception:
            _end()


def main() -> NoReturn:
    """Take the plan from the workspace and run this process's share of it. Exit code 3: an error of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--process", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("addresses", nargs="+")
    given = parser.parse_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = 0
    try:
        _run(given.run, given.process, given.workers, given.addresses)
    except LostError as lost:  # the one that is to blame tells why
        print(lost, file=sys.stderr)
        code = 1
    except Exception:
        traceback.print_exc()
        code = OWN_ERROR
    leave(code)


def _run(run: Path, process: int, workers: int, addresses: list[str]) -> None:
    workspace = Workspace(run, ())
    plan = Plan.model_validate_json(workspace.plan.read_bytes())
    workspace.shards = list(plan.shards)
    flow = dataflow(plan, workspace.parts, _Ending(source(plan, loader(plan), hooks(workspace))), Timing())
    every_s = plan.config.run.checkpoint_every_s
    run_process(flow, workspace.recovery, every_s, workers=workers, addresses=addresses, process=process)


if __name__ == "__main__":
    main()
