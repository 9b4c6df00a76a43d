from __future__ import annotations

import pickle
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, cluster_main

from sinks.recovery import forget_unfinished

NOTHING_COMES = timedelta(milliseconds=100)  # for some epochs


def run(folder: Path, items: list[Any]) -> list[int]:
    """Sum up what is new in ``items``, an epoch for each; the sums. Goes on behind the items of earlier runs."""
    sums: list[int] = []
    flow = Dataflow("test")
    keyed = op.key_on("keyed", op.input("in", flow, TestingSource(items)), lambda _: "all")
    summed = op.stateful_map("sum", keyed, lambda state, one: ((state or 0) + one,) * 2)
    op.output("out", op.key_rm("plain", summed), TestingSink(sums))
    recovery = RecoveryConfig(folder)  # type: ignore[no-untyped-call]
    cluster_main(flow, [], 0, epoch_interval=timedelta(0), recovery_config=recovery)  # type: ignore[no-untyped-call]
    return sums


def resume_epoch(folder: Path) -> int:
    found = []
    for file in folder.glob("part-*.sqlite3"):
        with closing(sqlite3.connect(file)) as database:
            found += database.execute("SELECT ex_num, worker_frontier FROM fronts").fetchall()
    return int(max(found)[1])


def leave_unfinished(folder: Path, sum_: int) -> None:
    """What a run that is killed leaves of the epoch it was in: here only the sum has got as far as the file."""
    for file in folder.glob("part-*.sqlite3"):
        with closing(sqlite3.connect(file)) as database, database:
            for (step,) in database.execute("SELECT step_id FROM snaps WHERE step_id LIKE 'test.sum%'").fetchall():
                values = (step, "all", resume_epoch(folder), pickle.dumps(sum_))
                insert = "INSERT OR REPLACE INTO snaps (step_id, state_key, snap_epoch, ser_change) VALUES (?, ?, ?, ?)"
                database.execute(insert, values)


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize(("forget", "sums"), [(False, [1_004]), (True, [7])])
def test_the_state_of_an_unfinished_epoch_does_not_come_back_two_runs_later(
    forget: bool, sums: list[int], parts: int, tmp_path: Path
) -> None:
    """Without ``forget`` it is Bytewax that is tested: should it fail there, it has learned to do this itself."""
    init_db_dir(tmp_path, parts)  # type: ignore[no-untyped-call]
    assert run(tmp_path, [1, 2, TestingSource.ABORT()]) == [1, 3]
    leave_unfinished(tmp_path, 1_000)
    for last in (TestingSource.ABORT(), 4):
        if forget:
            forget_unfinished(tmp_path)
        found = run(tmp_path, [1, 2, TestingSource.PAUSE(NOTHING_COMES), last])
    assert found == sums


def test_of_a_part_of_the_files_nothing_is_removed(tmp_path: Path) -> None:
    """Which epochs were finished stands in any of them: what half of them say may be of the past."""
    init_db_dir(tmp_path, 3)  # type: ignore[no-untyped-call]
    assert run(tmp_path, [1, 2, TestingSource.ABORT()]) == [1, 3]
    leave_unfinished(tmp_path, 1_000)
    (tmp_path / "elsewhere").mkdir()
    for number in (0, 1, 2):
        away = tmp_path / f"elsewhere/part-{number}.sqlite3"
        (tmp_path / away.name).rename(away)
        assert forget_unfinished(tmp_path) == 0
        away.rename(tmp_path / away.name)
    assert forget_unfinished(tmp_path) > 0
