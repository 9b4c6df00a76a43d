"""Progress of a replay: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

PLAIN_EVERY_S = 2.0
POLL_S = 0.1


@contextmanager
def shown(total: int, rows: Callable[[], int], doing: str = "replaying") -> Iterator[None]:
    """Show on stderr how many of ``total`` rows are done, while the block runs. ``rows`` is asked now and then."""
    console = Console(stderr=True)
    ended = threading.Event()
    follow = _bar if console.is_terminal else _lines
    thread = threading.Thread(target=follow, args=(console, total, rows, ended, doing), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _bar(console: Console, total: int, rows: Callable[[], int], ended: threading.Event, doing: str) -> None:
    columns = (
        TextColumn(doing),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %  {task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
    )
    began, first = monotonic(), rows()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total, completed=first, rate="")
        while not ended.wait(POLL_S):
            now = rows()
            progress.update(task, completed=now, rate=_rate(now - first, monotonic() - began))


def _lines(_: Console, total: int, rows: Callable[[], int], ended: threading.Event, doing: str) -> None:
    began, first = monotonic(), rows()
    while not ended.wait(PLAIN_EVERY_S):
        now, passed = rows(), monotonic() - began
        left = (total - now) * passed / (now - first) if now > first else None
        tail = "" if left is None else f", {left:.0f} s left"
        print(f"{doing}: {now:,} of {total:,} rows, {_rate(now - first, passed)}{tail}", file=sys.stderr, flush=True)


def _rate(rows: int, seconds: float) -> str:
    return f"{rows / seconds:,.0f} rows/s" if seconds > 0 else ""
