"""``python -P -m tests.chaos.worker KIND TIMES ACTION MARK -- run …``: ``penstock run …``, to be ended at a point.

At the ``TIMES``-th passage of the point ``KIND`` the process makes the file ``MARK`` and does ``ACTION``: ``kill``
itself, ``stop`` itself, or ``tell`` and go on. With a ``MARK`` that is there already it goes on, so a point is met
once, whatever starts the process again. The processes of a cluster are started with the same point. ``none`` is no
point.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from threading import Lock
from typing import Any

POINTS = {
    "snapshot of market": ("flows.edges", "MarketLogic", "snapshot"),
    "snapshot of portfolio": ("flows.edges", "PortfolioLogic", "snapshot"),
    "snapshot of candles": ("connectors.kafka.candle_source", "CandleReader", "snapshot"),
    "snapshot of commands": ("connectors.kafka.command_source", "CommandReader", "snapshot"),
    "snapshot of journal": ("connectors.kafka.journal_source", "JournalReader", "snapshot"),
    "snapshot of sink": ("sinks.kafka.sink", "PartPublisher", "snapshot"),
}
"""Inside a snapshot: it is made, but nobody has it yet."""

COMMANDS: dict[str, tuple[str, str, str, Callable[..., bool]]] = {
    "a command read": ("flows.edges", "", "heard", lambda *_: True),
    "a command on its way to the journal": (
        *("sinks.kafka.journal_writer", "JournalWriter", "say"),
        lambda _, entries: any("commands" in entry.shard for entry in entries),
    ),
    "a command obeyed": ("flows.portfolio.control.commands", "Commands", "obey", lambda *_: True),
    "an answer produced": (
        *("sinks.kafka.publisher", "Publisher", "_produce"),
        lambda _, message: message.topic.endswith("replies"),
    ),
    "an answer published": (
        *("sinks.kafka.sink", "PartPublisher", "_published"),
        lambda _, counts: any(topic.endswith("replies") for topic in counts),
    ),
}
"""Behind each step of a command: read, journaled, obeyed, answered in a transaction that is open, and in one that is
not, but behind which there is no checkpoint."""

PR_SET_PDEATHSIG = 1
STEPS = ("O1", "O2", "O3", "P2", "P3", "P4", "S2")
READING = "R"
"""In the middle of reading back: a record was just read."""


class Point:
    """Counts passages of one point, and acts at the wanted one."""

    def __init__(self, kind: str, times: int, action: str, mark: Path) -> None:
        self.kind, self.left, self.action, self.mark = kind, times, action, mark
        self._lock = Lock()  # parts publish in threads of their own

    def passed(self, name: str) -> None:
        """To be called wherever a point is."""
        if name != self.kind:
            return
        with self._lock:
            self.left -= 1
            if self.left != 0:
                return
        try:
            self.mark.open("x").close()
        except FileExistsError:
            return
        if self.action != "tell":
            os.kill(os.getpid(), signal.SIGKILL if self.action == "kill" else signal.SIGSTOP)


def install(point: Point) -> None:
    """Put the point into the code of the product."""
    from importlib import import_module

    from sinks.kafka import read_back
    from sinks.kafka.publisher import Publisher

    if point.kind in POINTS:
        module, owner, name = POINTS[point.kind]
        _behind(getattr(import_module(module), owner), name, lambda *_: point.passed(point.kind))
    elif point.kind in COMMANDS:
        module, owner, name, wanted = COMMANDS[point.kind]
        place = getattr(import_module(module), owner) if owner else import_module(module)
        _behind(place, name, lambda *given: point.passed(point.kind if wanted(*given) else ""))
    elif point.kind == READING:
        _behind(read_back, "_take", lambda *_: point.passed(READING))
    else:
        assert point.kind in STEPS, point.kind
        begin = Publisher.__init__

        @wraps(begin)
        def probed(self: Publisher, *args: Any, **named: Any) -> None:
            begin(self, *args, **{**named, "probe": point.passed})

        Publisher.__init__ = probed  # type: ignore[method-assign]


def _behind(owner: Any, name: str, then: Callable[..., None]) -> None:
    plain = getattr(owner, name)

    @wraps(plain)
    def followed(*args: Any, **named: Any) -> Any:
        answer = plain(*args, **named)
        then(*args)
        return answer

    setattr(owner, name, followed)


def main() -> None:
    """The command, with its point. It does not outlive who started it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    at = sys.argv.index("--")
    given, arguments = sys.argv[1:at], sys.argv[at + 1 :]
    kind, times, action, mark = given
    sys.argv[1:] = arguments
    if kind != "none":
        from flows import supervise

        def again(words: Sequence[str]) -> list[str]:
            return [sys.executable, "-P", "-m", "tests.chaos.worker", *given, "--", *words]

        supervise.command_of = again  # type: ignore[assignment]
        install(Point(kind, int(times), action, Path(mark)))

    from cli.main import main as penstock

    penstock()


if __name__ == "__main__":
    main()
