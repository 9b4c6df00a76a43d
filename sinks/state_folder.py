"""The state folder of a live run: its checkpoints, and what they were made with."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from bytewax.recovery import init_db_dir

from sinks.atomic import replacing

OURS = re.compile(r"recovery$|made-with\.json$|\.made-with\.json\.\d+\.tmp$|lost\+found$")
"""What may be in a state folder; the last one is in every volume of its own."""
BEGAN = "began"
HELP = "restore the folder from a backup, or move it away and make the state anew from the topics with --rebuild"

ROOM = 256 * 1024
"""Bytes that have to find room on the disk: as many as the checkpoints of a small run."""


class StateError(ValueError):
    """A state folder that cannot be used as asked. The message says what to do."""


class StateFolder:
    """One folder for one deployment.

    - ``recovery/``: Bytewax's checkpoints, SQLite files
    - ``made-with.json``: the settings that the state was computed with; where some of them changed while it was,
      those that it began with, too, under :data:`BEGAN`

    It is locked for as long as the process that opened it (or one that inherits the lock) lives.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.recovery, self.made_with = path, path / "recovery", path / "made-with.json"
        self.lock: int | None = None

    @property
    def fresh(self) -> bool:
        """Whether nothing has been kept in it yet."""
        return not self.made_with.exists()

    @property
    def in_use(self) -> bool:
        """Whether a run is at work in it now."""
        probe = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(probe)
        return False

    def take(self) -> None:
        """Make the folder and lock it. Raises StateError when another process is at work in it, or it is not ours."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise StateError(f"{self.path} is a file, not a folder: give another --state") from None
        self.lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(
                f"{self.path}: another penstock run is at work here: stop it, or give another --state (and another "
                "kafka.deployment and portfolio.name, for two that run side by side)"
            ) from None
        others = sorted(path.name for path in self.path.iterdir() if not OURS.match(path.name))
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

    def check(self, process: int | None) -> None:
        """See whether the checkpoints can be read, as a whole: those of all processes, or those of one of them.

        Raises StateError with the file that is missing or damaged.
        """
        parts = {}
        for path in sorted(self.recovery.glob("part-*.sqlite3")):
            with closing(sqlite3.connect(path)) as part:
                try:
                    (state,) = part.execute("PRAGMA quick_check(1)").fetchone()
                    index, count = part.execute("SELECT part_index, part_count FROM parts").fetchone()
                except (sqlite3.DatabaseError, TypeError) as error:
                    state, index, count = str(error), -1, -1
            if state != "ok":
                raise StateError(f"{path} is damaged ({state}): {HELP}")
            parts[index] = count
        wanted = {process} if process is not None else set(range(max(parts.values(), default=1)))
        if lost := sorted(wanted - parts.keys()):
            raise StateError(f"{self.recovery / f'part-{lost[0]}.sqlite3'} is missing: {HELP}")

    def examine(self) -> None:
        """Whether checkpoints can be written. Raises StateError when not."""
        try:
            with tempfile.TemporaryFile(dir=self.path) as file:
                file.write(bytes(ROOM))
                file.flush()
        except OSError as error:
            raise StateError(
                f"{self.path}: no checkpoint can be written ({error.strerror}): make room on its disk and start again, "
                "nothing is lost"
            ) from None

    def write(self, settings: Mapping[str, Any], began: Mapping[str, Any] | None = None) -> None:
        """Keep what the state is made with, and what it began with, if that is something else."""
        kept = {**settings, BEGAN: began} if began else settings
        with replacing(self.made_with) as fresh:
            fresh.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    @property
    def began(self) -> dict[str, Any] | None:
        """What it began with, if that is something else than what it is made with. Raises StateError when damaged."""
        return self._known().get(BEGAN)

    def changes(self, settings: Mapping[str, Any]) -> list[str]:
        """What differs from what the state was made with, one line a setting. Raises StateError when it is damaged."""
        known = {name: value for name, value in self._known().items() if name != BEGAN}
        before, after = dict(_flat(known)), dict(_flat(json.loads(json.dumps(settings))))
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        return [f"{name}: {before.get(name, 'not set')} → {after.get(name, 'not set')}" for name in names]

    def _known(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(self.made_with.read_bytes())
        except ValueError as error:
            raise StateError(f"{self.made_with} is damaged ({error}): {HELP}") from None
        return known


def _flat(tree: Any, at: str = "") -> list[tuple[str, Any]]:
    if isinstance(tree, dict):
        return [leaf for name, value in tree.items() for leaf in _flat(value, f"{at}.{name}" if at else name)]
    if isinstance(tree, list) and any(isinstance(value, dict) for value in tree):
        return [leaf for index, value in enumerate(tree) for leaf in _flat(value, f"{at}[{index}]")]
    return [(at, tree)]
