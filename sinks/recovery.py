"""The recovery files of Bytewax: what a run that was killed leaves in them, and must not stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

Rows = list[tuple[int, ...]]


def forget_unfinished(recovery: Path) -> int:
    """Remove the snapshots of epochs that the last run did not finish. Returns how many there were.

    To be called while no run is at work. Bytewax 0.21.1 writes snapshots as they come. The next run goes on at the
    first epoch that was not finished everywhere, counts from that number again, and leaves in place what the dead run
    had written under it. A step that gets nothing in the new epoch of that number does not replace it; and the run
    after that takes it for the newest: a state that is ahead of the offset of its source.

    Where the files of a cluster are spread over several folders, nothing is removed: which epochs were finished is
    only known from all of them together, and what is removed by half of them may be a finished one.
    """
    files = sorted(recovery.glob("part-*.sqlite3"))
    starts: Rows = []
    fronts: Rows = []
    for file in files:
        with _opened(file) as database:
            if database.execute("SELECT part_count FROM parts").fetchone() != (len(files),):
                return 0
            starts += database.execute("SELECT ex_num, worker_count, resume_epoch FROM exs").fetchall()
            fronts += database.execute("SELECT ex_num, worker_index, worker_frontier FROM fronts").fetchall()
    if not starts:
        return 0
    last, workers, began = max(starts)
    reached = {worker: max(began, front) for run, worker, front in fronts if run == last}
    resume = min(reached.get(worker, began) for worker in range(workers))
    forgotten = 0
    for file in files:
        with _opened(file) as database:
            forgotten += database.execute("DELETE FROM snaps WHERE snap_epoch >= ?", (resume,)).rowcount
    return forgotten


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file)) as database, database:
        yield database
