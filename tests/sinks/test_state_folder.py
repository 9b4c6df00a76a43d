from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sinks.state_folder import StateError, StateFolder

SETTINGS = {"portfolio": {"cash": "1000", "name": "main"}, "strategies": [{"use": "sma", "params": {"fast": 3}}]}


def begun(path: Path, process: int | None = None, processes: int = 1) -> StateFolder:
    """A state folder in use."""
    folder = StateFolder(path)
    folder.take()
    folder.begin(SETTINGS, process, processes)
    return folder


def left(folder: StateFolder) -> StateFolder:
    """The same folder for the next run: the one before has ended."""
    assert folder.lock is not None
    os.close(folder.lock)
    again = StateFolder(folder.path)
    again.take()
    return again


def parts(folder: StateFolder) -> list[str]:
    return sorted(path.name for path in folder.recovery.iterdir())


def test_a_folder_is_made_and_is_fresh_until_it_was_begun(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "deep/state")
    folder.take()
    assert folder.fresh
    assert list(folder.path.iterdir()) == []
    folder.begin(SETTINGS, None, 1)
    assert not folder.fresh
    assert json.loads(folder.made_with.read_text(encoding="utf-8")) == SETTINGS
    assert parts(folder) == ["part-0.sqlite3"]
    folder.check(None)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match="state is a file, not a folder: give another --state"):
        StateFolder(tmp_path / "state").take()


def test_for_all_processes_there_is_a_part_each(tmp_path: Path) -> None:
    folder = begun(tmp_path, None, 3)
    assert parts(folder) == ["part-0.sqlite3", "part-1.sqlite3", "part-2.sqlite3"]
    folder.check(None)


@pytest.mark.parametrize("process", [0, 1, 11])
def test_a_process_of_several_keeps_its_own_part_alone(tmp_path: Path, process: int) -> None:
    folder = begun(tmp_path, process, 12)
    assert parts(folder) == [f"part-{process}.sqlite3"]
    folder.check(process)


def test_what_an_interrupted_beginning_left_is_made_anew(tmp_path: Path) -> None:
    folder = begun(tmp_path / "state", None, 2)
    folder.made_with.rename(folder.path / ".made-with.json.4711.tmp")
    again = left(folder)
    assert again.fresh
    again.begin(SETTINGS, None, 1)
    assert parts(again) == ["part-0.sqlite3"]


def test_a_second_run_is_refused_while_the_first_one_is_at_work(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    with pytest.raises(StateError) as refused:
        StateFolder(tmp_path).take()
    assert str(refused.value) == (
        f"{tmp_path}: another penstock run is at work here: stop it, or give another --state (and another "
        "kafka.deployment and portfolio.name, for two that run side by side)"
    )
    left(folder)


def test_the_lock_lives_on_in_a_process_that_inherited_it(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    assert folder.lock is not None
    words = [sys.executable, "-c", "input()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=(folder.lock,)) as child:
        os.close(folder.lock)
        with pytest.raises(StateError, match="at work here"):
            StateFolder(tmp_path).take()
        child.communicate(b"\n")
    StateFolder(tmp_path).take()


def test_whether_it_is_in_use_can_be_asked_without_taking_it(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    assert StateFolder(tmp_path).in_use
    assert folder.lock is not None
    os.close(folder.lock)
    assert not StateFolder(tmp_path).in_use
    StateFolder(tmp_path).take()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(StateError) as refused:
        StateFolder(tmp_path).take()
    assert str(refused.value) == f"{tmp_path} is no state folder, it holds thesis.txt: give another --state"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_volume_of_its_own_is_empty_enough(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    assert left(begun(tmp_path)).fresh is False


def test_notes_beside_a_state_are_no_harm(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    (tmp_path / "README").write_text("the state of the paper account", encoding="utf-8")
    left(folder).check(None)


def test_every_setting_that_differs_is_told_with_both_values(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    assert folder.changes(SETTINGS) == []
    other = {
        "portfolio": {"cash": "2000", "name": "main", "leverage": 2.0},
        "strategies": [{"use": "sma", "params": {"fast": 5}}, {"use": "ema", "symbols": ["BTC/USDT"]}],
    }
    assert folder.changes(other) == [
        "portfolio.cash: 1000 → 2000",
        "portfolio.leverage: not set → 2.0",
        "strategies[0].params.fast: 3 → 5",
        "strategies[1].symbols: not set → ['BTC/USDT']",
        "strategies[1].use: not set → ema",
    ]
    folder.write(other)
    assert folder.changes(other) == []
    assert folder.changes(SETTINGS)[1] == "portfolio.leverage: 2.0 → not set"


def test_values_that_json_writes_otherwise_are_no_change(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    folder.write({"symbols": ("BTC/USDT",), "sizes": {1: 2}})
    assert folder.changes({"symbols": ["BTC/USDT"], "sizes": {"1": 2}}) == []


HELP = "restore the folder from a backup, or move it away and make the state anew from the topics with --rebuild"


@pytest.mark.parametrize("content", [b"", b'{"portfolio": ', b"\xff\xfe"])
def test_settings_that_cannot_be_read_are_told(tmp_path: Path, content: bytes) -> None:
    folder = begun(tmp_path)
    folder.made_with.write_bytes(content)
    with pytest.raises(StateError) as damaged:
        folder.changes(SETTINGS)
    assert str(damaged.value).startswith(f"{folder.made_with} is damaged (")
    assert str(damaged.value).endswith(f"): {HELP}")


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"rubbish" * 1_000, "file is not a database"), (b"", "no such table: parts")],
)
def test_a_checkpoint_that_cannot_be_read_is_told(tmp_path: Path, content: bytes, why: str) -> None:
    folder = begun(tmp_path, None, 2)
    part = folder.recovery / "part-1.sqlite3"
    part.write_bytes(content)
    with pytest.raises(StateError) as damaged:
        folder.check(None)
    assert str(damaged.value) == f"{part} is damaged ({why}): {HELP}"


def test_a_checkpoint_with_a_damaged_page_is_told(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    part = folder.recovery / "part-0.sqlite3"
    content = part.read_bytes()
    part.write_bytes(content[: len(content) // 2])
    with pytest.raises(StateError) as damaged:
        folder.check(None)
    assert str(damaged.value).startswith(f"{part} is damaged (")


@pytest.mark.parametrize(
    ("process", "processes", "gone", "told"),
    [(None, 2, 0, 0), (None, 2, 1, 1), (None, 1, 0, 0), (1, 2, 1, 1)],
)
def test_a_checkpoint_that_is_missing_is_told(
    tmp_path: Path, process: int | None, processes: int, gone: int, told: int
) -> None:
    folder = begun(tmp_path, process, processes)
    (folder.recovery / f"part-{gone}.sqlite3").unlink()
    with pytest.raises(StateError) as missing:
        folder.check(process)
    assert str(missing.value) == f"{folder.recovery / f'part-{told}.sqlite3'} is missing: {HELP}"
