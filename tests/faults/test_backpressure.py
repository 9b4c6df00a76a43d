"""A broker that takes less than penstock can give: the reading waits, and memory does not grow."""

from __future__ import annotations

import json
import os
import resource
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
QUOTA = 1_000_000  # bytes a second, of all that is published
MORE_BYTES = 600_000_000  # beyond what a warm process has
MORE_SIGNALS = 5_000


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


def patient(job: Job) -> None:
    """All parts share the quota: a transaction may take longer than half a minute."""
    path = job.folder / "penstock.yaml"
    settings = json.loads(path.read_text())
    settings["kafka"]["client"] = {"transaction.timeout.ms": 600_000}
    path.write_text(json.dumps(settings))


@contextmanager
def slow(broker: Broker) -> Iterator[None]:
    """The broker takes little, and gives as ever: what is read could wait in no other place than in penstock."""

    def alter(*change: str) -> None:
        broker.tool("kafka.admin.ConfigCommand", "--alter", *change, "--entity-type", "clients", "--entity-default")

    alter("--add-config", f"producer_byte_rate={QUOTA}")
    yield
    alter("--delete-config", "producer_byte_rate")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_slow_broker_stops_the_reading_and_not_the_memory(tmp_path: Path, kafka_jars: Path, processes: int) -> None:
    broker = Broker(tmp_path / "kafka").start()
    job, side = Job(broker.address, "slow.", tmp_path / "job"), penstock("penstock", processes)
    job.folder.mkdir()
    prepare_penstock(job)
    patient(job)
    feed = simulated(SYMBOLS, MINUTES)
    gate = Gate(broker.address, job.candles, feed, WARM)
    watch = Watch(broker.address, job.out)
    running = Running(side.command(job), job.folder)

    try:
        watch.until(side.owes(feed, WARM), running.alive)
        pids = group(running.pid)
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_DATA, (data_of(pid) + MORE_BYTES, resource.RLIM_INFINITY))
        with slow(broker):
            gate.open()
            watch.until(side.owes(feed, WARM) + MORE_SIGNALS, running.alive)
            assert len(watch.values) < side.owes(feed) // 2  # it is held up, and still publishes
            assert group(running.pid) == pids
            for pid in pids:  # at full speed shards are as far apart as their partitions are read
                resource.prlimit(pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        watch.until(side.owes(feed), running.alive)
        assert group(running.pid) == pids  # none of them was started again
        running.stop()
        assert side.wrong(feed, watch.rest()) is None
    finally:
        running.kill()
        watch.close()
        broker.stop()
