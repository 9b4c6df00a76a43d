"""``penstock run`` as a user has it: an installation on the broker of the tests, its processes, what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

from tests.command import PENSTOCK, Result, environment, penstock
from tests.kafka.topics import raw, rows

WITHIN_S = 120
"""A busy machine may take long; nothing here waits longer than it needs."""
Found = TypeVar("Found")


def eventually(
    look: Callable[[], Found], what: Callable[[Found], bool], alive: Callable[[], None] | None = None
) -> Found:
    """What is found, as soon as it is as wanted."""
    until = monotonic() + WITHIN_S
    while not what(found := look()):
        assert monotonic() < until, f"after {WITHIN_S} s still: {found!r:.2000}"
        if alive is not None:
            alive()
        sleep(0.1)
    return found


@dataclass
class Installation:
    """Topics of its own, in a folder of its own."""

    kafka: str
    folder: Path
    name: str = field(default_factory=lambda: f"live-{uuid4().hex[:8]}")

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": self.kafka,
            "PENSTOCK__KAFKA__PREFIX": f"{self.name}.",
            "PENSTOCK__KAFKA__DEPLOYMENT": self.name,
        }

    def topic(self, name: str) -> str:
        return f"{self.name}.{name}"

    def command(self, *words: str | Path, **environ: str) -> Result:
        """A command to its end."""
        return penstock(self.folder, *words, **self.environ, **environ)

    def done(self, *words: str | Path, **environ: str) -> str:
        """What a command says that must succeed."""
        result = self.command(*words, **environ)
        assert result.code == 0, result.err
        return result.out

    def values(self, topic: str) -> list[bytes]:
        """The committed records of a topic, in the order in which they are there."""
        return [value for *_, value in rows(self.kafka, self.topic(topic))]

    def records(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(value) for value in self.values(topic)]

    def messages(self, topic: str) -> list[Any]:
        return raw(self.kafka, self.topic(topic))

    @contextmanager
    def running(self, *words: str | Path, command: Sequence[str] = (PENSTOCK, "run"), **environ: str) -> Iterator[Run]:
        """``penstock run WORDS``; killed, with all that it has started, when the block is left."""
        log = self.folder / f"run-{uuid4().hex[:4]}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, *map(str, words)],
                cwd=self.folder,
                env=environment(**self.environ, **environ),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            yield Run(process, log)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@dataclass(frozen=True)
class Run:
    """A run at work."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def alive(self) -> None:
        """Fails, with what it has said, when it has ended."""
        assert self.process.poll() is None, f"exit code {self.process.poll()}: {self.said()}"

    def until(self, look: Callable[[], Found], what: Callable[[Found], bool]) -> Found:
        """What is found, as soon as it is as wanted, while it runs."""
        return eventually(look, what, self.alive)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(WITHIN_S)


def get(port: int, path: str) -> str:
    """What a process serves there; nothing as long as nobody does."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            found: bytes = answer.read()
            return found.decode()
    except (URLError, ConnectionError):
        return ""
