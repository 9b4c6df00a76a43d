from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.recovery import init_db_dir
from bytewax.testing import TestingSink, TestingSource

from connectors.ports import free_addresses
from flows.process import run_process


def summing(items: list[Any], out: list[int], step: str = "sum") -> Dataflow:
    """Sums of what came so far; the item 13 is refused."""

    def add(state: int | None, one: int) -> tuple[int, int]:
        if one == 13:
            raise KeyError("thirteen")
        total = (state or 0) + one
        return total, total

    flow = Dataflow("summing")
    keyed = op.key_on("keyed", op.input("in", flow, TestingSource(items)), lambda _: "all")
    op.output("out", op.key_rm("plain", op.stateful_map(step, keyed, add)), TestingSink(out))
    return flow


@pytest.fixture
def recovery(tmp_path: Path) -> Path:
    init_db_dir(tmp_path, 1)  # type: ignore[no-untyped-call]
    return tmp_path


def test_it_runs_to_the_end_and_goes_on_from_the_last_checkpoint(recovery: Path) -> None:
    out: list[int] = []
    run_process(summing([1, 2, TestingSource.EOF(), 3], out), recovery, 0.0)
    assert out == [1, 3]
    run_process(summing([1, 2, TestingSource.EOF(), 3], out), recovery, 0.0)
    assert out == [1, 3, 6]


def test_what_a_step_raises_is_raised_as_it_was(recovery: Path) -> None:
    with pytest.raises(KeyError) as raised:
        run_process(summing([1, 13], []), recovery, 0.0)
    assert raised.value.args == ("thirteen",)
    assert raised.value.__suppress_context__


def test_several_workers_share_the_work(recovery: Path) -> None:
    out: list[int] = []
    run_process(summing([1, 2, 3], out), recovery, 0.0, workers=2)
    assert sorted(out) == [1, 3, 6]


ONE_OF_TWO = """
import os, sys
from pathlib import Path
import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource
from flows.process import LostError, run_process
number, folder, *addresses = sys.argv[1:]

def die(one):
    if number == "0":
        os._exit(7)
    return one

flow = Dataflow("dying")
keyed = op.key_on("keyed", op.input("in", flow, TestingSource(list(range(1_000)))), str)
op.output("out", op.map("die", op.redistribute("spread", keyed), die), TestingSink([]))
try:
    run_process(flow, Path(folder), 0.0, addresses=addresses, process=int(number))
except LostError as lost:
    print(lost, flush=True)
    os._exit(1)
"""


def test_a_process_that_loses_another_one_says_so(tmp_path: Path) -> None:
    init_db_dir(tmp_path, 2)  # type: ignore[no-untyped-call]
    addresses = free_addresses(2)
    first, second = (
        subprocess.Popen(
            [sys.executable, "-c", ONE_OF_TWO, number, str(tmp_path), *addresses],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for number in ("0", "1")
    )
    try:
        assert first.wait(60) == 7
        said, _ = second.communicate(timeout=60)
        assert second.returncode == 1
        assert said.splitlines()[-1].startswith("another process of this run is gone, so this one ends, too (")
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()
