"""A broker that takes less than penstock can give: the reading waits, and memory does not grow."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.kafka.broker_io import Gate, Watch
from benchmarks.kafka.market import simulated
from benchmarks.kafka.sides import Job, Running, penstock, prepare_penstock
from tests.kafka.broker import Broker

pytestmark = pytest.mark.long

SYMBOLS, MINUTES, WARM = 300, 8_000, 60
AT_WORK_S, ASLEEP_S = 0.05, 0.45  # a broker that is slower by a factor of ten
MORE_BYTES = 600_000_000  # beyond what a warm process has
MORE_SIGNALS = 20_000


def data_of(pid: int) -> int:
    """Bytes of writable memory that a process has taken, used or not."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return 1_024 * next(int(line.split()[1]) for line in lines if line.startswith("VmData:"))


def group(leader: int) -> list[int]:
    """The processes of a group."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    found = []
    for pid in pids:
        try:
            if os.getpgid(pid) == leader:
                found.append(pid)
        except ProcessLookupError:
            continue
    return sorted(found)


@contextmanager
def slow(broker: Broker) -> Iterator[None]:
    """It sleeps most of the time."""
    awake = threading.Event()

    def doze() -> None:
        while not awake.wait(AT_WORK_S):
            broker.signal(signal.SIGSTOP)
            awake.wait(ASLEEP_S)
            broker.signal(signal.SIGCONT)

    thread = threading.Thread(target=doze)
    thread.start()
    try:
        yield
    finally:
        awake.set()
        thread.join()


@pytest.mark.parametrize("processes", [1, 2])
def test_a_slow_broker_stops_the_reading_and_not_the_memory(tmp_path: Path, kafka_jars: Path, processes: int) -> None:
    broker = Broker(tmp_path / "kafka").start()
    job, side = Job(broker.address, "slow.", tmp_path / "job"), penstock("penstock", processes)
    job.folder.mkdir()
    prepare_penstock(job)
    feed = simulated(SYMBOLS, MINUTES)
    gate = Gate(broker.address, job.candles, feed, WARM)
    watch = Watch(broker.address, job.out)
    running = Running(side.command(job), job.folder)

    try:
        watch.until(side.owes(feed, WARM), running.alive)
        pids = group(running.pid)
        for pid in pids:
            most = data_of(pid) + MORE_BYTES
            resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))
        gate.open()
        with slow(broker):
            watch.until(side.owes(feed, WARM) + MORE_SIGNALS, running.alive)
            assert len(watch.values) < side.owes(feed) // 2  # it is held up, and still publishes
        watch.until(side.owes(feed), running.alive)
        assert group(running.pid) == pids  # none of them was started again
        running.stop()
        assert side.wrong(feed, watch.rest()) is None
    finally:
        running.kill()
        watch.close()
        broker.stop()
