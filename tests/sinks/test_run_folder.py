from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from sinks.run_folder import RunFolderError, Workspace

SHARDS = ["shard-0000", "shard-0002"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs/mine"


def begun(out: Path, plan: str = "{}", *, overwrite: bool = False) -> Workspace:
    workspace = Workspace(out, SHARDS)
    workspace.begin(plan, overwrite=overwrite)
    return workspace


def finished(out: Path, text: str = "done", *, overwrite: bool = False) -> Workspace:
    workspace = begun(out, overwrite=overwrite)
    workspace.events("run.finished")
    workspace.finished.mkdir()
    (workspace.finished / "summary.json").write_text(text)
    workspace.publish()
    return workspace


def test_a_run_that_goes_on_is_only_there_as_partial(out: Path) -> None:
    workspace = Workspace(out, SHARDS)
    assert workspace.begin('{"a": 1}', overwrite=False) is False
    assert not out.exists()
    assert workspace.path == out.parent / "mine.partial"
    assert sorted(path.name for path in workspace.path.iterdir()) == ["parts", "plan.json", "progress", "recovery"]
    assert workspace.plan.read_text() == '{"a": 1}'
    assert list(workspace.recovery.iterdir()) != []


def test_a_name_with_a_dot_keeps_it(tmp_path: Path) -> None:
    assert Workspace(tmp_path / "v1.2", SHARDS).path == tmp_path / "v1.2.partial"


def test_progress_starts_at_nothing_and_is_shared(out: Path) -> None:
    workspace = begun(out)
    assert workspace.progress().tolist() == [0, 0]
    workspace.progress()[1] = 7
    assert Workspace(out, SHARDS).progress().tolist() == [0, 7]
    assert workspace.progress().dtype == np.int64


def test_an_interrupted_run_of_the_same_plan_is_taken_up(out: Path) -> None:
    first = begun(out, '{"a": 1}')
    (first.parts / "some").write_text("kept")
    first.progress()[0] = 5
    first.events("run.started")
    first.leave()
    again = Workspace(out, SHARDS)
    assert again.begin('{"a": 1}', overwrite=False) is True
    assert (again.parts / "some").read_text() == "kept"
    assert again.progress().tolist() == [5, 0]
    assert again.events.path.read_text().count("\n") == 1


def test_an_interrupted_run_of_another_plan_is_refused_and_stays(out: Path) -> None:
    begun(out, '{"a": 1}').leave()
    with pytest.raises(RunFolderError) as refused:
        Workspace(out, SHARDS).begin('{"a": 2}', overwrite=False)
    assert str(refused.value) == (
        f"{out}.partial holds an interrupted run of other inputs, settings or strategies: finish it with the "
        "command that began it, give another --out, or --overwrite to start anew"
    )
    assert Workspace(out, SHARDS).plan.read_text() == '{"a": 1}'


@pytest.mark.parametrize("plan", ['{"a": 1}', '{"a": 2}'])
def test_overwrite_starts_an_interrupted_run_anew(out: Path, plan: str) -> None:
    first = begun(out, '{"a": 1}')
    (first.parts / "some").write_text("gone")
    first.leave()
    again = Workspace(out, SHARDS)
    assert again.begin(plan, overwrite=True) is False
    assert list(again.parts.iterdir()) == []
    assert again.plan.read_text() == plan


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_workspace_in_which_a_run_is_at_work_is_left_to_it(out: Path, overwrite: bool) -> None:
    working = begun(out)
    working.progress()[0] = 5
    with pytest.raises(RunFolderError) as refused:
        Workspace(out, SHARDS).begin("{}", overwrite=overwrite)
    assert str(refused.value) == (
        f"another run is at work in {out}.partial: wait until it has ended, or give another --out"
    )
    assert working.progress().tolist() == [5, 0]
    working.leave()
    assert Workspace(out, SHARDS).begin("{}", overwrite=False) is True


def test_a_workspace_that_died_before_it_had_a_plan_is_made_anew(out: Path) -> None:
    dead = Workspace(out, SHARDS)
    dead.parts.mkdir(parents=True)
    (dead.parts / "some").write_text("gone")
    assert dead.begin("{}", overwrite=False) is False
    assert list(dead.parts.iterdir()) == []


def test_a_finished_run_is_not_replaced_unasked(out: Path) -> None:
    finished(out)
    with pytest.raises(RunFolderError, match=re.escape(f"{out} exists: give another --out, or --overwrite")):
        Workspace(out, SHARDS).begin("{}", overwrite=False)
    assert (out / "summary.json").read_text() == "done"


def test_the_finished_folder_appears_with_its_events_and_nothing_is_left_beside_it(out: Path) -> None:
    finished(out)
    assert sorted(path.name for path in out.iterdir()) == ["events.jsonl", "summary.json"]
    assert '"run.finished"' in (out / "events.jsonl").read_text()
    assert '"run":"mine"' in (out / "events.jsonl").read_text()
    assert [path.name for path in out.parent.iterdir()] == ["mine"]


def test_what_is_replaced_stays_until_the_new_run_is_finished(out: Path) -> None:
    finished(out, "old")
    workspace = begun(out, overwrite=True)
    workspace.events("run.finished")
    workspace.finished.mkdir()
    (workspace.finished / "summary.json").write_text("new")
    assert (out / "summary.json").read_text() == "old"
    workspace.publish()
    assert (out / "summary.json").read_text() == "new"
    assert [path.name for path in out.parent.iterdir()] == ["mine"]


def test_a_run_that_died_between_the_two_moves_of_publishing_can_be_published_again(out: Path) -> None:
    finished(out, "old")
    workspace = begun(out, overwrite=True)
    workspace.events("run.finished")
    workspace.finished.mkdir()
    (workspace.finished / "summary.json").write_text("new")
    out.rename(workspace.path / "replaced")
    workspace.leave()
    again = Workspace(out, SHARDS)
    assert again.begin("{}", overwrite=False) is True
    again.publish()
    assert (out / "summary.json").read_text() == "new"
    assert [path.name for path in out.parent.iterdir()] == ["mine"]


def test_events_are_written_beside_the_plan(out: Path) -> None:
    assert begun(out).events.path == out.parent / "mine.partial/events.jsonl"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_somebody_else_under_the_name_of_a_workspace_is_left_alone(out: Path, overwrite: bool) -> None:
    theirs = out.with_name(f"{out.name}.partial") / "thesis.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("years of work")
    with pytest.raises(RunFolderError, match=r"is not of a run, it holds thesis\.txt"):
        Workspace(out, SHARDS).begin("{}", overwrite=overwrite)
    assert theirs.read_text() == "years of work"
