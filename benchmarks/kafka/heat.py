"""One heat: one side, the whole feed, timed from the outside."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kafka.broker_io import Gate, Watch, delete
from benchmarks.kafka.market import Feed
from benchmarks.kafka.sides import Job, Running, Side


@dataclass(frozen=True)
class Heat:
    """``rows`` candles in ``seconds``, giving ``messages``; ``ready`` is from the start of the process to the end of
    the warm-up.
    """

    rows: int
    seconds: float
    messages: int
    ready: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def heat(side: Side, feed: Feed, minutes: int, address: str, folder: Path) -> Heat:
    """Run a side on fresh topics, on the feed or as much of it as it can bear. The first ``minutes`` warm it up.

    The clock starts when the rest of the feed becomes readable, and ends when a consumer of committed messages has the
    last of what the side owes. Raises SystemExit when the side ends by itself, falls silent, or has written anything
    else than what it owes, each message once.
    """
    feed = feed.head(side.most)
    job = Job(address, f"bench-{uuid.uuid4().hex[:8]}.", folder / uuid.uuid4().hex)
    job.folder.mkdir()
    side.prepare(job)
    gate = Gate(address, job.candles, feed, minutes)
    watch = Watch(address, job.out)
    began = time.perf_counter()
    running = Running(side.command(job), job.folder)
    try:
        ready = watch.until(side.owes(feed, minutes), running.alive) - began
        start = time.perf_counter()
        gate.open()
        end = watch.until(side.owes(feed), running.alive)
        running.stop()
        found = side.wrong(feed, watch.rest())
        if found:
            raise SystemExit(f"{side.name} does not give what it has to: {found}")
    finally:
        running.kill()
        watch.close()
        delete(address, job.prefix)
    rows = len(feed) - minutes * len(feed.symbols)
    return Heat(rows, end - start, side.owes(feed) - side.owes(feed, minutes), ready)
