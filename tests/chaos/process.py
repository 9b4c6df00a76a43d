"""``penstock run`` in a process of its own, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from tests.chaos.market import environ

GONE_WITHIN_S = 30.0


class Running:
    """A live run over ``state``, in a process group of its own. ``point`` is where it is to end: see worker.py."""

    def __init__(
        self, folder: Path, log: Path, state: Path, processes: int = 1, point: tuple[str, int, str] | None = None
    ) -> None:
        self.log, self.mark = log, log.with_suffix(".mark")
        kind, times, action = point or ("none", 0, "kill")
        command = [sys.executable, "-P", "-m", "tests.chaos.worker", kind, str(times), action, str(self.mark), "--"]
        command += ["run", "--state", str(state), "--processes", str(processes)]
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environ(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.began = monotonic()

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    @property
    def reached(self) -> bool:
        """Whether the point was met."""
        return self.mark.exists()

    def missed(self) -> bool:
        """Whether the point was not met; it will not be met any more then."""
        try:
            self.mark.open("x").close()
        except FileExistsError:
            return False
        return True

    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def children(self) -> list[int]:
        """Ids of the processes that it has started and that run."""
        pid = self._process.pid
        try:
            return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    def kill(self) -> None:
        """Kill -9 of this process alone."""
        self._process.kill()
        self._process.wait()

    def kill_all(self) -> None:
        """Kill -9 of it and of all that it has started; nothing when it has ended."""
        if self.code is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self.wait_gone()

    def wait_gone(self) -> None:
        """Until no process of its group is left."""
        until = monotonic() + GONE_WITHIN_S
        while _alive(self._process.pid):
            assert monotonic() < until, f"{self.log}: processes of the group live on after {GONE_WITHIN_S:g} s"
            sleep(0.01)

    def stop(self) -> None:
        """Hold it where it is."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def wait_stopped(self, within_s: float) -> None:
        """Until it is held."""
        until = monotonic() + within_s
        while Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert self.code is None, f"{self.log}: it has ended"
            assert monotonic() < until, f"{self.log}: it was not stopped"
            sleep(0.01)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def stacks(self) -> str:
        """End it where it hangs; the last of what it has said, and where each of its threads was."""
        for pid in [self._process.pid, *self.children()]:
            os.kill(pid, signal.SIGABRT)
        self.wait(GONE_WITHIN_S)
        return self.said()[-8_000:]

    def end(self, within_s: float) -> int:
        """SIGTERM. Returns its exit code."""
        self._process.terminate()
        return self.wait(within_s)

    def wait(self, within_s: float) -> int:
        """Until it ends by itself; raises subprocess.TimeoutExpired. Returns its exit code."""
        return self._process.wait(within_s)


def _alive(group: int) -> bool:
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                if int(fields[2]) == group and fields[0] not in ("Z", "X"):
                    return True
    return False
