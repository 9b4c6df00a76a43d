"""A live run that is killed again and again, and what is on its topics in the end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic, sleep

from connectors.kafka.admin import Topics as Admin
from connectors.kafka.connection import Connection
from connectors.kafka.health import lag
from schemas.config.kafka import KafkaConfig
from tests.chaos.commander import Commander, answers
from tests.chaos.compare import Row, Verdict, compare
from tests.chaos.invariants import broken
from tests.chaos.market import COMPARED, CONFIGURATION, JOURNALED, SETTINGS_FILE, SHARDS, Feed, Market, penstock
from tests.chaos.plan import CLUSTER, EPOCH, PARENT, RANDOM, WORKER, ZOMBIE, Round
from tests.chaos.process import Running
from tests.chaos.topics import Topics

FIRST, PIECE, PIECE_EVERY_S = 20, 2, 0.1  # instants; the first make all symbols known before the first start
LOOK_EVERY_S = 0.02
COMMANDED = 0.5
"""So often a command comes with a piece."""
REACHED_WITHIN_S, BOTH_REACHED_WITHIN_S = 15.0, 45.0
CAUGHT_UP_WITHIN_S = 90.0
SAID_WITHIN_S = 120.0
DONE_WITHIN_S = 90.0
QUIET_S = 2.0
FENCED = "another process has taken over"


@dataclass
class Outcome:
    """How often what was killed, and what was wrong in the end: nothing, when all is well."""

    kills: Counter[str] = field(default_factory=Counter)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    missed: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    """How often commands were answered how."""

    @property
    def good(self) -> bool:
        """Nothing lost, duplicated or diverged, and no process ended but as it should."""
        return not self.problems and not any(verdict.wrong for verdict in self.verdicts.values())


class Matrix:
    """One installation with a prefix and a folder of its own, and one live run in it.

    Candles are published, and commands given, while it works and while it is down. ``max_wait`` is the configuration's.
    """

    def __init__(
        self,
        folder: Path,
        address: str,
        name: str,
        market: Callable[[], Market],
        draw: Random,
        max_wait: str,
    ) -> None:
        self.folder, self.draw, self.outcome = folder, draw, Outcome()
        folder.mkdir(parents=True, exist_ok=True)
        text = CONFIGURATION.format(address=address, name=name, shards=SHARDS, max_wait=max_wait)
        (folder / SETTINGS_FILE).write_text(text, encoding="utf-8")
        penstock(folder, "topics", "create")
        self.market = market()
        self.expected: dict[str, list[Row]] = {}
        kafka = KafkaConfig(bootstrap_servers=address, prefix=f"{name}.", deployment=name)
        self.admin = Admin(Connection(kafka))
        self.feed = Feed(self.market, address, kafka.topic("candles"))
        self.topics = Topics(address, kafka.prefix, tuple({*COMPARED, *JOURNALED}))
        self.commander = Commander(self.feed, self.topics, address, kafka.prefix, draw)
        self._all: list[Running] = []
        self._states = 0

    def run(self, rounds: Iterable[Round], say: Callable[[str], None]) -> Outcome:
        """Begin, do the rounds, finish, compare."""
        self.feed.publish(FIRST)
        try:
            self._begin()
            for one in rounds:
                began = monotonic()
                {WORKER: self._cluster, ZOMBIE: self._zombie}.get(one.kind, self._single)(one)
                say(f"{monotonic() - began:6.1f} s  {self.topics.count:7,} messages  {one.name}")
            began = monotonic()
            self._finish()
            say(f"{monotonic() - began:6.1f} s  {self.topics.count:7,} messages  undisturbed to the end")
        finally:
            for running in self._all:
                running.kill_all()
        self._compare()
        self.topics.close()
        return self.outcome

    def _start(self, processes: int = 1, point: tuple[str, int, str] | None = None) -> Running:
        log = self.folder / f"start-{len(self._all) + 1}.log"
        self._all.append(Running(self.folder, log, self._state, processes, point))
        return self._all[-1]

    @property
    def _state(self) -> Path:
        return self.folder / f"state-{self._states}"

    def _begin(self) -> None:
        """Undisturbed until the first orders are out, then killed at once."""
        running = self._start()
        self._until(running, lambda: bool(self.topics.rows["orders"]), CAUGHT_UP_WITHIN_S)
        self._killed(running, RANDOM)

    def _until(self, running: Running, there: Callable[[], bool], within_s: float) -> bool:
        """Publish piece by piece until something is there. False when it did not come."""
        until, due = monotonic() + within_s, monotonic()
        while not there():
            if running.code is not None or monotonic() > until:
                return there()
            if monotonic() >= due:
                self.feed.publish(PIECE)
                if self.draw.random() < COMMANDED:
                    self.commander.act()
                due = monotonic() + PIECE_EVERY_S
            self.topics.read(LOOK_EVERY_S)
        return True

    def _killed(self, running: Running, name: str) -> None:
        """Kill it, or take note that it had ended already."""
        if running.code is None:
            running.kill_all()
            self.outcome.kills[name] += 1
        else:
            self._ended(running)

    def _ended(self, running: Running) -> None:
        self.outcome.problems.append(f"{running.log} ended with exit code {running.code}: {running.said()[-3000:]}")

    def _single(self, one: Round) -> None:
        if one.point is None:
            running = self._start(point=("snapshot of sink", 5 * self.draw.randint(1, 4), "tell"))
            met = (lambda: running.reached) if one.kind == EPOCH else lambda: False
            found = self._until(running, met, REACHED_WITHIN_S if one.kind == EPOCH else self.draw.uniform(0.2, 4.0))
            sleep(self.draw.uniform(0.0, 0.03) if found else 0.0)
            self._killed(running, one.kind if found else RANDOM)
            return
        running = self._start(point=(one.point, one.times, "kill"))
        self._until(running, lambda: running.code is not None, REACHED_WITHIN_S)
        if running.code == -signal.SIGKILL and running.reached:
            self.outcome.kills[one.name] += 1
            return
        self.outcome.missed += running.code is None
        self._killed(running, RANDOM)

    def _said(self, ends: Mapping[str, int]) -> bool:
        """Whether the journal says all candles up to some ends."""
        return all(self.topics.upto.get(shard, 0) >= end for shard, end in ends.items())

    def _works(self, running: Running) -> bool:
        """Publish something, and see whether it arrives."""
        self.feed.publish(PIECE)
        wanted = self.feed.ends
        found = self._until(running, lambda: self._said(wanted), CAUGHT_UP_WITHIN_S)
        if not found and running.code is None:
            self.outcome.problems.append(f"{running.log}: it did not catch up: {running.stacks()}")
        return found

    def _cluster(self, one: Round) -> None:
        """Two processes: one of them is killed and its parent starts both again; then what ``then`` says."""
        running = self._start(2, (one.point, one.times, "kill") if one.point else None)
        found = (
            self._until(running, lambda: running.reached, BOTH_REACHED_WITHIN_S) if one.point else self._works(running)
        )
        if running.code is not None:
            self._ended(running)
            return
        first = running.children()
        if one.point is None or running.missed():
            os.kill(self.draw.choice(first), signal.SIGKILL)
        self.outcome.missed += not found
        self.outcome.kills[one.name if found else WORKER] += 1
        self._until(running, lambda: len(set(running.children()) - set(first)) == 2, CAUGHT_UP_WITHIN_S)
        if not self._works(running):
            self._ended(running)
            return
        if one.then == PARENT:
            running.kill()
            running.wait_gone()
            self.outcome.kills[PARENT] += 1
        else:
            self._killed(running, CLUSTER)

    def _zombie(self, one: Round) -> None:
        """It is held, a copy of its state goes on elsewhere, and when it is let go it has to end without a word."""
        running = self._start(point=(one.point, one.times, "stop") if one.point else None)
        if one.point is None:
            self._works(running)
            running.stop()
        else:
            self._until(running, lambda: running.reached, REACHED_WITHIN_S)
            if running.missed():
                self.outcome.missed += 1
                running.stop()
        running.wait_stopped(REACHED_WITHIN_S)
        held = self._state
        self._states += 1
        shutil.copytree(held, self._state)
        successor = self._start()
        self._works(successor)
        self._quiet(1.0)
        before = self.topics.decided
        running.go_on()
        try:
            code = running.wait(60)
        except subprocess.TimeoutExpired:
            running.stacks()
            code = 0
        self._quiet(1.0)
        if code == 0 or FENCED not in running.said() or self.topics.decided != before:
            more = self.topics.decided - before
            self.outcome.problems.append(
                f"{running.log}: the zombie ended with {code} and published {more} messages: {running.said()[-3000:]}"
            )
        self._killed(successor, one.name)

    def _quiet(self, seconds: float) -> None:
        while self.topics.read(seconds):
            pass

    def _finish(self) -> None:
        """Play every scene, publish the rest, and wait until all is done, or nothing more can be hoped for."""
        running = self._start()
        if not self._until(running, lambda: self.commander.content, SAID_WITHIN_S) and running.code is None:
            self.outcome.problems.append(f"not all commands were given within {SAID_WITHIN_S:g} s: {running.stacks()}")
        self.commander.resting, given = True, len(self.commander.answered("audit"))
        self._until(running, lambda: len(self.topics.rows["audit"]) >= given, CAUGHT_UP_WITHIN_S)
        self.feed.publish(self.feed.left)
        self.expected = self.market.replay(self.commander.obeyed())
        until = monotonic() + DONE_WITHIN_S
        while not self._done() and running.code is None and monotonic() < until:
            self.topics.read(0.2)
        if running.code is not None:
            self._ended(running)
            return
        if not self._done():
            found = {topic: f"{len(self.topics.rows[topic])} of {len(rows)}" for topic, rows in self.expected.items()}
            self.outcome.problems.append(
                f"not done within {DONE_WITHIN_S:g} s: {found}, journal up to {self.topics.upto} of {self.feed.ends}, "
                f"lag {self._lag()}: {running.stacks()}"
            )
            return
        code = running.end(30)
        if code != 0:
            self._ended(running)

    def _done(self) -> bool:
        found = all(len(self.topics.rows[topic]) >= len(rows) for topic, rows in self.expected.items())
        still = monotonic() - self.topics.moved >= QUIET_S
        return found and still and self._said(self.feed.ends) and not self._lag()

    def _lag(self) -> dict[str, int]:
        """What the consumer group has not committed, of the partitions that hold anything."""
        read = ("candles", "commands", "journal")
        names = {self.admin.kafka.topic(name) for name in read}
        parts = [one for one in lag(self.admin) if one.topic in names and one.end > 0]
        return {
            f"{one.topic}-{one.partition}": one.end - (one.committed or 0) for one in parts if one.end != one.committed
        }

    def _compare(self) -> None:
        verdicts, rows, commander = self.outcome.verdicts, self.topics.rows, self.commander
        for topic, wanted in self.expected.items():
            verdicts[topic] = compare(wanted, rows[topic])
        said = {**self.feed.said, commander.part: commander.journaled()}
        verdicts["journal"] = compare(_flat(said), _flat(self.topics.journal))
        for topic, wanted in self.market.replay_journal().items():
            verdicts[f"{topic}, by the journal"] = compare(wanted, rows[topic])
        verdicts["replies, each once"] = compare(commander.answered("reply"), answers(rows["replies"]))
        verdicts["audit, each once"] = compare(commander.answered("audit"), answers(rows["audit"]))
        verdicts["deadletters"] = compare(commander.letters(), [row._replace(value=b"") for row in rows["deadletters"]])
        self.outcome.problems += broken(rows)
        self.outcome.codes.update(json.loads(row.value)["code"] for row in rows["replies"])
        if "OUTPUT_DIVERGED" in self.topics.codes():
            self.outcome.problems.append(f"alerts: {[one for one in self.topics.alerts if one['level'] == 'critical']}")


def _flat(rows: dict[str, list[Row]]) -> list[Row]:
    return [row for shard in sorted(rows) for row in rows[shard]]
