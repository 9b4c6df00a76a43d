from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from flows import supervise
from flows.live_process import PARENT
from flows.supervise import command_of

WITHIN_S = 60
# Each process notes that it was started, as NUMBER PID; then it does what the file DO-NUMBER says, if there is one.
CHILD = """
import os, signal, sys, time
from pathlib import Path
from flows.live_process import end_with_parent
number = sys.argv[sys.argv.index("--process") + 1]
addresses = [word for word in sys.argv if ":" in word]
end_with_parent()
with open("started", "a") as file:
    file.write(f"{number} {os.getpid()} {len(set(addresses))}\\n")
do = Path(f"do-{number}")
while not do.exists():
    time.sleep(0.01)
code = int(do.read_text())
do.unlink()
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""
PARENT_OF_TWO = """
import signal, sys
from flows.supervise import supervise
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
sys.exit(supervise([sys.executable, "child.py"], 2, None, lambda text: print(text, flush=True)))
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    (tmp_path / "child.py").write_text(CHILD, encoding="utf-8")
    return tmp_path


def started(count: int) -> list[tuple[int, int]]:
    """Number and process id of all that were started, as soon as they are so many."""
    until = monotonic() + WITHIN_S
    file = Path("started")
    while not file.exists() or file.read_text().count("\n") < count:
        assert monotonic() < until
        sleep(0.01)
    found = [tuple(map(int, line.split())) for line in file.read_text().splitlines()]
    assert {addresses for *_, addresses in found} == {2}
    return [(number, pid) for number, pid, _ in found]


def gone(pid: int) -> None:
    until = monotonic() + WITHIN_S
    while Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        assert monotonic() < until
        sleep(0.01)


def do(number: int, code: int) -> None:
    fresh = Path("fresh")
    fresh.write_text(str(code))
    fresh.rename(f"do-{number}")


def parent() -> subprocess.Popen[str]:
    """A process that supervises two."""
    return subprocess.Popen([sys.executable, "-c", PARENT_OF_TWO], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("code", "how"), [(1, "with exit code 1"), (-signal.SIGKILL, "by SIGKILL"), (-signal.SIGABRT, "by SIGABRT")]
)
def test_when_one_dies_all_are_started_again(here: Path, code: int, how: str) -> None:
    with parent() as run:
        first = started(2)
        assert sorted(number for number, _ in first) == [0, 1]
        do(1, code)
        again = started(4)[2:]
        assert sorted(number for number, _ in again) == [0, 1]
        for _, pid in first:
            gone(pid)
        run.terminate()
        assert (run.wait(WITHIN_S), run.stdout.read() if run.stdout else "") == (
            0,
            f"a process ended {how}: starting all again in 0.5 s\n",
        )
    for _, pid in again:
        gone(pid)


@pytest.mark.parametrize("code", [0, 2])
def test_what_a_restart_would_not_mend_ends_all(here: Path, code: int) -> None:
    with parent() as run:
        first = started(2)
        do(0, code)
        assert run.wait(WITHIN_S) == code
        for _, pid in first:
            gone(pid)


def test_processes_end_with_their_parent_however_it_ends(here: Path) -> None:
    with parent() as run:
        first = started(2)
        run.kill()
        for _, pid in first:
            gone(pid)


class Ended:
    """A process that has ended."""

    def __init__(self, code: int | None) -> None:
        self.code = code

    def poll(self) -> int | None:
        return self.code


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ([None, None], None),
        ([None, 1], 1),
        ([1, 2], 2),  # the first one only lost sight of the second
        ([1, -signal.SIGKILL], -signal.SIGKILL),
        ([1, 0], 0),
        ([-signal.SIGKILL, 2], 2),
    ],
)
def test_of_several_ends_the_cause_is_told(codes: list[int | None], told: int | None) -> None:
    cluster = object.__new__(supervise.Cluster)
    cluster.processes = [Ended(code) for code in codes]  # type: ignore[misc]
    assert cluster.ended() == told


def test_the_wait_doubles_up_to_a_limit_and_begins_anew_after_a_steady_time(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, lasts, waits = iter([1] * 9 + [2]), iter([1.0] * 8 + [100.0, 1.0]), list[float]()
    now = 0.0

    class Scripted:
        """A cluster that lasts for a while and then ends."""

        def __init__(self, *_: object) -> None:
            pass

        def ended(self) -> int:
            nonlocal now
            now += next(lasts)
            return next(ends)

        def end(self) -> None:
            pass

    monkeypatch.setattr(supervise, "Cluster", Scripted)
    monkeypatch.setattr(supervise, "monotonic", lambda: now)
    monkeypatch.setattr(supervise, "sleep", waits.append)
    said: list[str] = []
    assert supervise.supervise([], 2, None, said.append) == 2
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 0.5]
    assert said[1] == "a process ended with exit code 1: starting all again in 1 s"


def test_a_process_is_told_of_its_parent_and_holds_the_lock(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PARENT, raising=False)
    lock = os.open(here, os.O_RDONLY)
    words = f"import os; print(os.environ['{PARENT}'], os.fstat({lock}).st_ino, file=open('told', 'w'))"
    cluster = supervise.Cluster([sys.executable, "-c", words], 1, lock)
    assert cluster.processes[0].wait(WITHIN_S) == 0
    cluster.end()
    assert Path("told").read_text().split() == ["1", str(here.stat().st_ino)]


def test_one_that_does_not_listen_is_killed_after_a_grace(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "GRACE_S", 0.2)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('deaf', 'w'); time.sleep(60)"
    cluster = supervise.Cluster([sys.executable, "-c", deaf], 1, None)
    while not Path("deaf").exists():
        sleep(0.01)
    cluster.end()
    assert cluster.processes[0].returncode == -signal.SIGKILL


def test_the_command_of_a_process_takes_no_module_from_the_working_directory() -> None:
    assert command_of(["run", "--processes", "2"]) == [
        *(sys.executable, "-P", "-m", "cli.main"),
        *("run", "--processes", "2"),
    ]
