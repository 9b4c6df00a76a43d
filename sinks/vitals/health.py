"""Is this process alive, and is it ready? What an orchestrator asks before it restarts or replaces one.

- **Live**: the flow's thread polled its sources within the last :data:`STALE_S` seconds, or it waits for the broker.
  A process that waits is not restarted: that would not bring the broker back, and would cost the work since the last
  snapshot. So the flow names the calls that wait by design (``waiting``, ``opening``), and start-up, until the first
  poll, counts as one. What is left is a thread that hangs in its own work: there a restart is the way out.
- **Ready**: sources and publishers are open, a source has been polled, nothing has waited for longer than
  :data:`PATIENCE_S` seconds, nothing has failed, and the process is live.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

# Compiling kernels and catching up on a full batch takes a fraction of this on a slow machine.
STALE_S = 120.0
# One attempt of a publisher takes as long before it says that it goes on waiting.
PATIENCE_S = 30.0


class Report(NamedTuple):
    """An answer: whether it is yes, and a body for JSON with the reasons why not."""

    ok: bool
    body: dict[str, Any]


class Health:
    """Told by the flow's thread, asked by others. ``clock`` counts seconds and is not the wall clock.

    >>> health = Health()
    >>> with health.opening("publisher main"):
    ...     health.ready().body["reasons"]
    ['publisher main is being opened', 'no source has been polled yet']
    >>> health.beat()
    >>> health.ready().ok, health.live().ok
    (True, True)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._beat: float | None = None
        self._opened = False
        self._opening: dict[str, float] = {}
        self._waits: dict[str, float] = {}
        self._failed: str | None = None

    def beat(self) -> None:
        """The flow polls a source: it makes progress."""
        self._beat = self._clock()

    def fail(self, reason: str) -> None:
        """Not ready any more, for good: the first reason stays."""
        with self._lock:
            self._failed = self._failed or reason

    @contextmanager
    def opening(self, what: str) -> Iterator[None]:
        """A source or a publisher is opened inside the block, which may wait for the broker. An error is a failure."""
        with self._during(self._opening, what):
            yield
        self._opened = True

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """The block waits for the broker as long as it takes. An error is a failure."""
        with self._during(self._waits, what):
            yield

    @contextmanager
    def _during(self, doing: dict[str, float], what: str) -> Iterator[None]:
        with self._lock:
            doing[what] = self._clock()
        try:
            yield
        except Exception as error:
            self.fail(f"{what}: {error}")
            raise
        finally:
            with self._lock:
                del doing[what]
                if self._beat is not None:  # the wait is over: the next poll has its whole time
                    self._beat = self._clock()

    def live(self) -> Report:
        """Whether a restart would be of no use."""
        since, waits = self._progress()
        return report(self._stuck(since, waits), since, waits)

    def ready(self) -> Report:
        """Whether it does its work."""
        since, waits = self._progress()
        with self._lock:
            reasons = [self._failed] if self._failed is not None else []
            reasons += [f"{what} is being opened" for what in self._opening]
            long = [what for what in self._waits if waits[what] > PATIENCE_S]
        reasons += [f"{what} has waited for {waits[what]:.0f} s: can the broker be reached?" for what in long]
        if not self._opened and not reasons:
            reasons.append("nothing has been opened yet")
        if since is None:
            reasons.append("no source has been polled yet")
        return report([*reasons, *self._stuck(since, waits)], since, waits)

    def _progress(self) -> tuple[float | None, dict[str, float]]:
        """Seconds since the last poll or the end of the last wait, and of each wait."""
        with self._lock:
            at, beat = self._clock(), self._beat
            waits = {what: at - since for what, since in (*self._opening.items(), *self._waits.items())}
        return None if beat is None else max(0.0, at - beat), waits

    def _stuck(self, since: float | None, waits: dict[str, float]) -> list[str]:
        if since is None or since <= STALE_S or waits:
            return []
        return [f"no progress for {since:.0f} s: the flow hangs"]


def report(reasons: list[str], since: float | None, waits: dict[str, float]) -> Report:
    """The answer with these reasons why not; ``since`` are the seconds since it made progress."""
    return Report(
        not reasons,
        {
            "status": "failing" if reasons else "ok",
            "reasons": reasons,
            "progress_s_ago": None if since is None else round(since, 3),
            "waiting_s": {what: round(seconds, 3) for what, seconds in waits.items()},
        },
    )
