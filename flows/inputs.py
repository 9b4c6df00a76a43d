"""Several sources as one step, whose parts end an epoch together.

A part of a Bytewax source ends an epoch by a clock of its own, and may not go on before all others have ended it: two
steps whose clocks are a quarter of a second apart stand still for that long in each epoch. The parts of one step share
the clock of that step, in one worker exactly. Two workers that drift apart are held together by :class:`Pace`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

SLACK_S = 0.05
"""So long the others may take with an epoch: they write what they have, and answer."""
EARLY_S = 0.02
"""So long before an epoch's end it is put off."""
MOST_S = 1.0
"""And never by more: a worker may have stood still for another reason, a slow broker for one."""

Part = StatefulSourcePartition[Any, Any]


class Pace:
    """How long to put off the end of an epoch, in seconds of any clock that does not go back.

    A worker that ends its epochs before the others stands still until they have. It learns for how long from when it
    is polled again, and ends the next epoch so much later, once: it costs what standing still would have cost, and
    from then on nobody waits.

    >>> pace = Pace(10.0)
    >>> pace.ended(100.0)
    >>> pace.polled(100.25)  # stood still for 0.25 s, of which 0.05 s are usual
    0.0
    >>> pace.polled(109.97), round(pace.polled(109.99), 3)
    (0.0, 0.21)
    """

    def __init__(self, epoch_s: float) -> None:
        self._epoch_s = epoch_s
        self._ended: float | None = None
        self._put_off = 0.0
        self._still = False

    def ended(self, now: float) -> None:
        """An epoch has ended."""
        self._ended, self._still = now, True

    def polled(self, now: float) -> float:
        """The worker goes on. How long it has to wait before it does."""
        if self._ended is None:
            return 0.0
        if self._still:
            self._still, self._put_off = False, min(max(0.0, now - self._ended - SLACK_S), MOST_S)
        due = self._ended + self._epoch_s
        if self._put_off == 0.0 or not due - EARLY_S <= now < due:
            return 0.0
        wait, self._put_off = due + self._put_off - now, 0.0
        return wait


class _Late(StatefulSourcePartition[Any, Any]):
    """Opens at the first poll: epochs are counted from when the parts are made, and to open one takes its time."""

    def __init__(self, open_: Callable[[], Part], pace: Pace | None) -> None:
        self._open, self._pace = open_, pace
        self._opened: Part | None = None

    @property
    def _part(self) -> Part:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def next_batch(self) -> Any:
        if self._pace is not None and (wait := self._pace.polled(time.monotonic())) > 0:
            time.sleep(wait)
        return self._part.next_batch()

    def next_awake(self) -> datetime | None:
        return None if self._opened is None else self._opened.next_awake()

    def snapshot(self) -> Any:
        if self._pace is not None:
            self._pace.ended(time.monotonic())
        return self._part.snapshot()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()


class Inputs(FixedPartitionedSource[Any, Any]):
    """The parts of all sources; ``NAME PART`` is the part PART of the source NAME.

    ``pace`` is for a cluster: what keeps this worker's epochs with those of the others.
    """

    def __init__(self, sources: Mapping[str, FixedPartitionedSource[Any, Any]], pace: Pace | None = None) -> None:
        self._sources, self._pace = dict(sources), pace

    def list_parts(self) -> list[str]:
        """As the sources say."""
        return [f"{name} {part}" for name, source in self._sources.items() for part in source.list_parts()]

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> Part:
        """A part that is opened when it is polled first. One of them keeps the pace of all in this worker."""
        name, part = for_part.split(" ", 1)
        pace, self._pace = self._pace, None
        return _Late(lambda: self._sources[name].build_part(step_id, part, resume_state), pace)
