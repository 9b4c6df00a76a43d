from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import input as op_input
from bytewax.operators import output as op_output
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, cluster_main

from flows.inputs import MOST_S, SLACK_S, Inputs, Pace


class Part(StatefulSourcePartition[Any, int]):
    def __init__(self, name: str, told: list[tuple[str, str]], polls: int) -> None:
        self.name, self.told, self.left = name, told, polls

    def next_batch(self) -> list[Any]:
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        time.sleep(0.001)
        self.told.append(("polled", self.name))
        return [(self.name, self.left)]

    def snapshot(self) -> int:
        self.told.append(("kept", self.name))
        return self.left


class Source(FixedPartitionedSource[Any, int]):
    def __init__(self, name: str, told: list[tuple[str, str]], opens_s: float) -> None:
        self.name, self.told, self.opens_s = name, told, opens_s

    def list_parts(self) -> list[str]:
        return [f"{self.name}-0", f"{self.name}-1"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> Part:
        time.sleep(self.opens_s)
        self.told.append(("opened", for_part))
        return Part(for_part, self.told, 100 if resume_state is None else resume_state)


def run(told: list[tuple[str, str]], recovery: Path, epoch_s: float) -> list[Any]:
    out: list[Any] = []
    flow = Dataflow("joined")
    sources = {"fast": Source("a", told, 0.0), "slow": Source("b", told, 0.06)}
    op_output("out", op_input("inputs", flow, Inputs(sources)), TestingSink(out))
    cluster_main(  # type: ignore[no-untyped-call]
        flow,
        [],
        0,
        epoch_interval=timedelta(seconds=epoch_s),
        recovery_config=RecoveryConfig(recovery),  # type: ignore[no-untyped-call]
    )
    return out


def test_the_parts_of_all_sources_end_each_epoch_together_however_long_they_take_to_open(tmp_path: Path) -> None:
    init_db_dir(tmp_path, 1)  # type: ignore[no-untyped-call]
    told: list[tuple[str, str]] = []
    out = run(told, tmp_path, 0.1)
    names = ["a-0", "a-1", "b-0", "b-1"]
    assert sorted(out) == sorted((name, left) for name in names for left in range(100))
    # Between two polls either nobody's state is kept or everybody's is.
    rounds = [told[at : at + 8] for at in range(len(told)) if told[at] == ("kept", "a-0")]
    assert len(rounds) > 2
    for one in rounds[:-1]:  # the last is the end of the stream
        kept = [name for what, name in one[:7] if what == "kept"]
        assert kept == names


def test_a_part_goes_on_from_its_own_state() -> None:
    inputs = Inputs({"fast": Source("a", [], 0.0), "slow": Source("b", [], 0.0)})
    assert inputs.list_parts() == ["fast a-0", "fast a-1", "slow b-0", "slow b-1"]
    part = inputs.build_part("inputs", "slow b-1", 7)
    assert part.next_awake() is None
    assert part.next_batch() == [("b-1", 6)]
    assert part.snapshot() == 6


def test_a_part_that_was_never_polled_opens_nothing() -> None:
    told: list[tuple[str, str]] = []
    part = Inputs({"fast": Source("a", told, 0.0)}).build_part("inputs", "fast a-0", None)
    part.close()
    assert told == []


def test_two_workers_apart_are_together_after_an_epoch() -> None:
    """The one that is early stands still until the other has ended its epoch; in the next it is as late itself."""
    early, epoch, apart = Pace(10.0), 10.0, 0.7
    early.ended(0.0)
    assert early.polled(apart) == 0.0  # goes on when the other has ended its epoch, too
    waits = [early.polled(at) for at in (5.0, 9.97, 9.99)]
    assert waits[:2] == [0.0, 0.0]
    assert round(9.99 + waits[2], 9) == round(epoch + apart - SLACK_S, 9)
    assert early.polled(10.65) == 0.0
    early.ended(10.65)
    assert early.polled(10.69) == 0.0
    assert early.polled(20.64) == 0.0  # nothing to put off any more


def test_who_stood_still_for_long_puts_off_no_more_than_a_second_and_nothing_that_is_over() -> None:
    pace = Pace(10.0)
    pace.ended(0.0)
    assert pace.polled(8.0) == 0.0
    assert round(pace.polled(9.99), 9) == round(0.01 + MOST_S, 9)
    pace.ended(11.0)
    assert pace.polled(60.0) == 0.0
