"""The state folder of a live run: its checkpoints, and what they were made with."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bytewax.recovery import init_db_dir

from sinks.atomic import replacing

RESTORE = "restore {0} from a backup, or move it away and make it anew from the topics with --rebuild"
ROOM = 256 * 1024
"""Bytes that have to find room on the disk: as many as the checkpoints of a small run."""


class StateError(ValueError):
    """A state folder that cannot be used as asked. The message says what to do."""


class StateFolder:
    """One folder for one deployment.

    - ``recovery/``: Bytewax's checkpoints, SQLite files
    - ``made-with.json``: the settings that the state was computed with

    It is locked for as long as the process that opened it (or one that inherits the lock) lives.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.recovery, self.made_with = path, path / "recovery", path / "made-with.json"
        self.lock: int | None = None

    @property
    def fresh(self) -> bool:
        """Whether nothing has been kept in it yet."""
        return not self.made_with.exists()

    def take(self) -> None:
        """Make the folder and lock it. Raises StateError when another process is at work in it, or it is not ours."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(
                f"{self.path}: another penstock run is at work here: stop it, or give another --state (and another "
                "kafka.deployment and portfolio.name, for two that run side by side)"
            ) from None
        others = sorted({path.name for path in self.path.iterdir()} - {"recovery", "made-with.json"})
        if self.fresh and others:
            raise StateError(f"{self.path} is no state folder, it holds {others[0]}: give another --state")

    def begin(self, settings: Mapping[str, Any], process: int | None, processes: int) -> None:
        """Prepare an empty folder for the first run: for all processes, or for one of them alone."""
        if self.recovery.exists():  # an earlier start ended before it had written what the state is made with
            for path in self.recovery.iterdir():
                path.unlink()
        self.recovery.mkdir(exist_ok=True)
        init_db_dir(self.recovery, processes)  # type: ignore[no-untyped-call]
        if process is not None:
            # Each process keeps the partitions that it has. Their names end in the number, as in part-0.sqlite3.
            for path in self.recovery.glob("part-*.sqlite3"):
                if int(path.stem.rpartition("-")[2]) != process:
                    path.unlink()
        self.write(settings)

    def check(self) -> None:
        """Raises StateError when checkpoints are missing or damaged, as far as SQLite can tell."""
        parts = sorted(self.recovery.glob("part-*.sqlite3"))
        if not parts:
            raise StateError(f"{self.recovery} has no checkpoints any more: {RESTORE.format(self.path)}")
        for path in parts:
            problem = _problem(path)
            if problem is not None:
                raise StateError(f"{path} is damaged ({problem}): {RESTORE.format(self.path)}")

    def examine(self) -> None:
        """Whether the folder is to blame that a run has ended. Raises StateError when it is."""
        try:
            with tempfile.TemporaryFile(dir=self.path) as file:
                file.write(bytes(ROOM))
                file.flush()
        except OSError as error:
            raise StateError(
                f"{self.path}: no checkpoint can be written ({error.strerror}): make room on its disk and start again, "
                "nothing is lost"
            ) from None
        self.check()

    def write(self, settings: Mapping[str, Any]) -> None:
        """Keep what the state is made with."""
        with replacing(self.made_with) as fresh:
            fresh.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    def changes(self, settings: Mapping[str, Any]) -> list[str]:
        """What differs from what the state was made with, one line a setting. Raises StateError when it is damaged."""
        try:
            known = json.loads(self.made_with.read_bytes())
        except ValueError as error:
            raise StateError(f"{self.made_with} is damaged ({error}): {RESTORE.format(self.path)}") from None
        before, after = dict(_flat(known)), dict(_flat(json.loads(json.dumps(settings))))
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        return [f"{name}: {before.get(name, 'not set')} → {after.get(name, 'not set')}" for name in names]


def _problem(path: Path) -> str | None:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found == "ok" and not connection.execute("SELECT count(*) FROM parts").fetchone()[0]:
            return "it is empty"
        return None if found == "ok" else str(found)
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        connection.close()


def _flat(tree: Any, at: str = "") -> list[tuple[str, Any]]:
    if isinstance(tree, dict):
        return [leaf for name, value in tree.items() for leaf in _flat(value, f"{at}.{name}" if at else name)]
    if isinstance(tree, list) and any(isinstance(value, dict) for value in tree):
        return [leaf for index, value in enumerate(tree) for leaf in _flat(value, f"{at}[{index}]")]
    return [(at, tree)]
