"""The life of a run, as it is lived: ``events.jsonl``."""

from __future__ import annotations

from pathlib import Path
from time import time_ns
from typing import Any

from schemas.event import Event
from schemas.wire import encode, wire

EventRow = wire(Event)


class EventLog:
    """Appends events, each with one write, so that several processes can share the file."""

    def __init__(self, path: Path, run: str) -> None:
        self.path, self.run = path, run

    def __call__(self, name: str, **figures: Any) -> None:
        """Write an event, stamped with the wall clock."""
        row = EventRow(ts=time_ns() // 1_000_000, name=name, run=self.run, figures=figures)
        with self.path.open("ab", buffering=0) as file:
            file.write(encode(row) + b"\n")
