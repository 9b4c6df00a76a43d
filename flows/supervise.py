"""Several processes of one live run on this machine: started, watched, and started again together.

The processes of a Bytewax cluster go on together or not at all. When one dies, the others are ended and all are
started again; each part then goes on from the last checkpoint.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic, sleep

from connectors.ports import free_addresses
from flows.live_process import PARENT

POLL_S = 0.05
GRACE_S = 5.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
STEADY_S = 60.0
USERS_FAULT = 2


class Cluster:
    """The processes of a run. Their standard input is a pipe that closes when this process dies; they end then."""

    def __init__(self, command: Sequence[str], count: int, lock: int | None) -> None:
        addresses = free_addresses(count)
        words = [word for address in addresses for word in ("--address", address)]
        self.processes = [
            subprocess.Popen(
                [*command, "--process", str(number), *words],
                stdin=subprocess.PIPE,
                env={**os.environ, PARENT: "1"},
                pass_fds=() if lock is None else (lock,),
            )
            for number in range(count)
        ]

    def ended(self) -> int | None:
        """What ended a process, if any has: of several codes the one that is not a consequence of the others."""
        codes = [code for process in self.processes if (code := process.poll()) is not None]
        return min(codes, key=lambda code: (code != USERS_FAULT, code > 0, code)) if codes else None

    def end(self) -> None:
        """End all: in good order, or, after a grace, at once."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        until = monotonic() + GRACE_S
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - monotonic()))
            if process.poll() is None:
                process.kill()
            process.communicate()


def supervise(command: Sequence[str], count: int, lock: int | None, say: Callable[[str], None]) -> int:
    """Run the processes until this one is interrupted, or one of them ends with what only the user can put right.

    Returns the exit code.
    """
    wait = FIRST_WAIT_S / 2
    while True:
        began = monotonic()
        cluster = Cluster(command, count, lock)
        try:
            while (code := cluster.ended()) is None:
                sleep(POLL_S)
        finally:
            cluster.end()
        if code in (0, USERS_FAULT):
            return code
        wait = FIRST_WAIT_S if monotonic() - began > STEADY_S else min(2 * wait, LONGEST_WAIT_S)
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        say(f"a process ended {how}: starting all again in {wait:g} s")
        sleep(wait)


def command_of(arguments: Sequence[str]) -> list[str]:
    """The command of one process: the one that started this one."""
    # -P: nothing in the working directory may stand in for a package of ours.
    return [sys.executable, "-P", "-m", "cli.main", *arguments]
