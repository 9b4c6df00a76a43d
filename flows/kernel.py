"""The compiler of the hot loops: numba, with the settings that keep results equal everywhere.

A kernel is a plain loop in exact event order over columns and state arrays. It is compiled on first use for the
machine it runs on and cached on disk, under ``NUMBA_CACHE_DIR`` or ``~/.cache/penstock``.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import event
from numba.core.caching import FunctionCache


def _cache_folder() -> Path:
    """A folder for the kernels as they are now.

    numba looks only at the file of a kernel itself, so a kernel that calls one in another file would go on running
    the old code of it. With a folder for each state of all files that hold kernels it cannot.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        source = path.read_bytes()
        if b"@kernel" in source:
            digest.update(source)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "penstock" / f"kernels-{digest.hexdigest()[:16]}"


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined]


@contextmanager
def _alone() -> Iterator[None]:
    """Nobody else reads or writes the cache meanwhile. Without a folder that can be written to, there is none."""
    try:
        folder = Path(numba.config.CACHE_DIR)  # type: ignore[attr-defined]
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o666)
    except OSError:
        yield
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


class _Cache(FunctionCache):
    """The cache of one kernel, for several processes at once.

    numba names a kernel's machine code for one signature by the next number that is free in its index. Two processes
    that compile different signatures at the same moment choose the same number, and one then runs the other's code.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What is there for a signature."""
        with _alone():
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled for a signature."""
        with _alone():
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]


Loop = TypeVar("Loop", bound=Callable[..., Any])


def kernel(loop: Loop) -> Loop:
    """Compile a loop. No fast-math: sums keep their order, so the bytes are the same on every machine.

    ``nogil`` lets several Bytewax workers of one process run their kernels side by side.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(loop)
    compiled._cache = _Cache(compiled.py_func)  # type: ignore[no-untyped-call]
    return cast(Loop, compiled)


@kernel
def _nothing(value: int) -> int:
    return value


def warm() -> None:
    """Make numba ready: the first call of any kernel in a process takes a tenth of a second longer than the next."""
    _nothing(0)


class Announce(event.Listener):
    """Calls ``say`` once, when something really has to be compiled rather than loaded from the cache."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say: Callable[[], None] | None = say

    def on_start(self, event: Any) -> None:  # noqa: ARG002 (numba's interface)
        """Called by numba when a compilation starts."""
        if self._say is not None:
            say, self._say = self._say, None
            say()

    def on_end(self, event: Any) -> None:
        """Called by numba when a compilation ends."""


def announce_compiling(say: Callable[[], None]) -> None:
    """From now on, tell the user (once) before the first compilation of this process."""
    event.register("numba:compile", Announce(say))  # type: ignore[no-untyped-call]
