"""The run folder: a workspace while the run goes on, and a finished folder that appears at once.

While a run goes on (and after it was interrupted) there is only ``NAME.partial``, which holds the plan, the
checkpoints, the parts of the records and the events so far. When all is written, the finished folder is moved to
``NAME`` in one step.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from bytewax.recovery import init_db_dir

from sinks.events import EventLog

_OURS = re.compile(r"plan\.(json|new)|recovery|parts|progress|events\.jsonl|finished|replaced|process-\d+\.log")


class RunFolderError(ValueError):
    """A run folder that cannot be written to as asked."""


class Workspace:
    """The folder of a run that is not finished.

    - ``plan.json``: what is being computed
    - ``recovery/``: checkpoints
    - ``parts/``: records of each part
    - ``progress``: rows read of each shard, shared by all processes
    - ``events.jsonl``
    """

    def __init__(self, out: Path, shards: Sequence[str]) -> None:
        self.out, self.shards = out, list(shards)
        self.path = out.with_name(out.name + ".partial")
        self.plan, self.recovery, self.parts = self.path / "plan.json", self.path / "recovery", self.path / "parts"
        self.finished = self.path / "finished"
        self.lock: int | None = None
        self.events = EventLog(self.path / "events.jsonl", out.name)

    def begin(self, plan: str, *, overwrite: bool) -> bool:
        """Make the workspace, or take up the one that an interrupted run of the same plan left; True in that case.

        Raises RunFolderError when ``NAME`` exists already (unless ``overwrite``), or when ``NAME.partial`` is of
        another plan.
        """
        if self.out.exists() and not overwrite:
            raise RunFolderError(f"{self.out} exists: give another --out, or --overwrite to replace it")
        self._take()
        if self.plan.exists() and not overwrite:
            if self.plan.read_text(encoding="utf-8") != plan:
                raise RunFolderError(
                    f"{self.path} holds an interrupted run of other inputs, settings or strategies: finish it with the "
                    "command that began it, give another --out, or --overwrite to start anew"
                )
            return True
        self._clear()
        self.recovery.mkdir()
        self.parts.mkdir()
        init_db_dir(self.recovery, 1)  # type: ignore[no-untyped-call]
        self._progress("w+")[:] = 0
        # Last, and in one step: a workspace without a plan was never begun.
        fresh = self.plan.with_suffix(".new")
        fresh.touch(mode=0o600)  # its configuration may hold passwords
        fresh.write_text(plan, encoding="utf-8")
        os.replace(fresh, self.plan)
        return False

    def _clear(self) -> None:
        """Remove what a run left, and nothing else. Raises RunFolderError when anything else is in the folder."""
        others = sorted(path.name for path in self.path.iterdir() if not _OURS.fullmatch(path.name))
        if others:
            raise RunFolderError(f"{self.path} is not of a run, it holds {others[0]}: give another --out, or move it")
        for path in self.path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _take(self) -> None:
        """Lock the workspace, for as long as this process or one that inherits the lock lives.

        Raises RunFolderError when another run is at work in it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.leave()
            raise RunFolderError(
                f"another run is at work in {self.path}: wait until it has ended, or give another --out"
            ) from None
        if not self.path.exists() or os.stat(self.path).st_ino != os.fstat(self.lock).st_ino:
            self.leave()  # the other run finished in this very moment, and took its workspace away
            raise RunFolderError(f"{self.out} was finished by another run just now: give another --out")

    def leave(self) -> None:
        """Give up the lock; what is in the workspace stays."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def _progress(self, mode: str) -> np.memmap[tuple[int], np.dtype[np.int64]]:
        return np.memmap(self.path / "progress", np.int64, mode, shape=(len(self.shards),))  # type: ignore[call-overload, no-any-return]

    def progress(self) -> np.memmap[tuple[int], np.dtype[np.int64]]:
        """Rows read so far, by shard, in the order of the shards; shared memory."""
        return self._progress("r+")

    def publish(self) -> None:
        """Move the finished folder to its name. What stood there, if it may be replaced, goes in the same moment."""
        shutil.copyfile(self.events.path, self.finished / "events.jsonl")
        old = self.path / "replaced"
        if self.out.exists():
            os.rename(self.out, old)
        os.rename(self.finished, self.out)
        shutil.rmtree(self.path)
        self.leave()
