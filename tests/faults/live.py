"""One installation on the broker of the tests, live runs of it, and what its topics should hold in the end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import uniform
from time import monotonic, sleep

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import OffsetSpec

from connectors.kafka.admin import Topics as Admin
from connectors.kafka.connection import Connection
from connectors.kafka.health import Lag, lag
from schemas.config.kafka import KafkaConfig
from tests.chaos.compare import Row, Verdict, compare
from tests.chaos.market import CONFIGURATION, SETTINGS_FILE, SHARDS, Feed, Market, environ, words
from tests.chaos.topics import Topics

WITHIN_S = 90.0  # a busy machine may take long; nothing here waits longer than it needs
LOOK_EVERY_S = 0.02
QUIET_S = 1.0
CLEAR = re.compile(r"Traceback|panicked|This is a defect")


@dataclass(frozen=True)
class Truth:
    """Candles, and what a replay makes of them."""

    market: Market
    expected: dict[str, list[Row]]


class Run:
    """A command in a process group of its own, and what it says."""

    def __init__(self, folder: Path, log: Path, command: list[str], env: dict[str, str]) -> None:
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environ() | env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self) -> int:
        """Until it ends by itself. Returns its exit code."""
        try:
            return self.process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it runs on: {self.said()}") from None

    def until_said(self, text: str) -> None:
        """Until it has printed something."""
        until = monotonic() + WITHIN_S
        while text not in self.said():
            assert self.process.poll() is None, self.said()
            assert monotonic() < until, f"not said: {text}\n{self.said()}"
            sleep(LOOK_EVERY_S)

    def refused(self) -> str:
        """Until it ends with what the user can put right; its last message."""
        code, said = self.wait(), self.said()
        assert code == 2, f"exit code {code}: {said}"
        assert CLEAR.search(said) is None, said
        return said[said.rindex("penstock: ") :].strip()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Interrupt it. Returns its exit code."""
        assert self.process.poll() is None, self.said()
        self.process.send_signal(number)
        return self.wait()

    def signal(self, number: int) -> None:
        """Send a signal to it and to all that it has started."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """Kill -9 of it and of all that it has started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Live:
    """An installation with a prefix and a folder of its own.

    ``client`` are more lines of its section ``kafka``; the runs talk to the broker at its ``door``.
    """

    def __init__(self, folder: Path, address: str, name: str, truth: Truth, client: str, door: str) -> None:
        self.folder, self.address, self.name, self.truth = folder, address, name, truth
        self.state = folder / "state"
        text = CONFIGURATION.format(address=door, name=name, shards=SHARDS, max_wait="5s")
        (folder / SETTINGS_FILE).write_text(text + client, encoding="utf-8")
        self.kafka = KafkaConfig(bootstrap_servers=address, prefix=f"{name}.", deployment=name)
        self.admin = Admin(Connection(self.kafka))
        self.admin.create()
        self.feed = Feed(truth.market, address, self.kafka.topic("candles"))
        self.runs: list[Run] = []

    def start(self, *given: str, **env: str) -> Run:
        """``penstock run GIVEN``, once more."""
        return self.begin(words("run", *given), env)

    @property
    def _log(self) -> Path:
        return self.folder / f"start-{len(self.runs) + 1}.log"

    def begin(self, command: list[str], env: dict[str, str]) -> Run:
        """A command of any kind, which counts as a start."""
        self.runs.append(Run(self.folder, self._log, command, env))
        return self.runs[-1]

    def hold_in_transaction(self, run: Run) -> None:
        """Stop a run while the broker has an open transaction of it; there is always something to do."""
        until = monotonic() + WITHIN_S
        while True:
            run.signal(signal.SIGSTOP)
            if self.open_transaction():
                return
            run.signal(signal.SIGCONT)
            assert run.process.poll() is None, run.said()
            assert monotonic() < until, run.said()
            self.feed.publish(1)
            sleep(uniform(0.0, 2 * LOOK_EVERY_S))

    def open_transaction(self) -> bool:
        """Whether some partition ends for readers of committed messages before it ends for all."""
        sizes = self.admin.names()
        names = [self.kafka.topic(name) for name in (*self.truth.expected, "journal")]
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(name, number): latest for name in names for number in range(sizes[name])}
        ends = []
        for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED):
            found = self.admin.admin.list_offsets(wanted, isolation_level=level)
            ends.append({at: future.result().offset for at, future in found.items()})
        return ends[0] != ends[1]

    def close(self) -> None:
        """Leave nothing running."""
        for run in self.runs:
            run.kill()

    def until(self, there: Callable[[Topics], bool], run: Run | None) -> Topics:
        """Read the topics from their beginning until something is there."""
        topics = Topics(self.address, self.kafka.prefix, tuple(self.truth.expected))
        until = monotonic() + WITHIN_S
        try:
            while not there(topics):
                assert run is None or run.process.poll() is None, f"it has ended: {run.said()}"
                assert monotonic() < until, f"not there: {self._progress(topics)}\n{run and run.said()}"
                topics.read(LOOK_EVERY_S)
        finally:
            topics.close()
        return topics

    def until_orders(self, count: int, run: Run) -> None:
        """Until there are so many orders."""
        self.until(lambda topics: len(topics.rows["orders"]) >= count, run)

    def until_said_all(self, run: Run) -> None:
        """Until the journal has every candle that was published."""
        self.until(self._said_all, run)

    def copy_state(self, name: str) -> Path:
        """A copy of the state folder."""
        shutil.copytree(self.state, self.folder / name)
        return self.folder / name

    def at_rest(self, instants: int) -> None:
        """Run until some more candles are in a checkpoint, and end."""
        self.feed.publish(instants)
        run = self.start()
        self.until_said_all(run)
        until = monotonic() + WITHIN_S
        while any(self.feed.ends.get(f"{one.topic}-{one.partition}") != one.committed for one in self._candles()):
            assert monotonic() < until, run.said()
        assert run.end() == 0, run.said()

    def _candles(self) -> list[Lag]:
        return [one for one in lag(self.admin) if one.topic == self.kafka.topic("candles")]

    def _said_all(self, topics: Topics) -> bool:
        return all(topics.upto.get(shard, 0) >= end for shard, end in self.feed.ends.items())

    def _progress(self, topics: Topics) -> str:
        found = {name: f"{len(topics.rows[name])} of {len(rows)}" for name, rows in self.truth.expected.items()}
        return f"{found}, journal up to {topics.upto} of {self.feed.ends}"

    def finish(self, run: Run, *, journal: bool = True) -> Topics:
        """Publish what is left, wait until all is done, and compare with the replay, id by id and value by value.

        ``journal``: compare it, too, with what was published to each of the usual number of partitions.
        """
        self.feed.publish(self.feed.left)
        expected = self.truth.expected

        def done(topics: Topics) -> bool:
            found = all(len(topics.rows[name]) >= len(rows) for name, rows in expected.items())
            return found and (self._said_all(topics) or not journal) and monotonic() - topics.moved >= QUIET_S

        topics = self.until(done, run)
        wrong: dict[str, Verdict] = {name: compare(rows, topics.rows[name]) for name, rows in expected.items()}
        if journal:
            wrong["journal"] = compare(_flat(self.feed.said), _flat(topics.journal))
        assert {name: one.wrong[:5] for name, one in wrong.items() if one.wrong} == {}
        assert "OUTPUT_DIVERGED" not in topics.codes()
        return topics


def _flat(rows: dict[str, list[Row]]) -> list[Row]:
    return [row for shard in sorted(rows) for row in rows[shard]]
