"""SIGTERM and Ctrl-C of a live run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LEAVES_WITHIN_S = 2.0


@contextmanager
def obeying(*, at_once: bool) -> Iterator[None]:
    """End the block on a signal, with the exit code 0 for SIGTERM, which is how containers are stopped, or 130.

    Nothing needs to be saved, the checkpoints are. What is being published has a moment to be done with; not with
    ``at_once``: in a cluster Bytewax waits for the other processes, which may be about to leave, too.
    """
    asked: list[int] = []

    def stop(number: int, _: object) -> None:
        asked.append(0 if number == signal.SIGTERM else 130)
        if at_once:
            os._exit(asked[0])
        leave = threading.Timer(LEAVES_WITHIN_S, os._exit, (asked[0],))
        leave.daemon = True
        leave.start()
        raise SystemExit(asked[0])

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        yield
    finally:
        if asked:  # the signal may have come in a C library, which makes an error of its own of what is raised there
            raise SystemExit(asked[0])
