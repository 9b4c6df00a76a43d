"""A running penstock on a live market: time from candle to order, and time to the next order after a kill -9."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.kafka.broker_io import SILENCE_S, delete, good
from benchmarks.kafka.market import Feed
from benchmarks.kafka.sides import Job, Running, penstock
from sinks.kafka.recording import SETTINGS

Instant = tuple[str, int]
"""Symbol and close of a candle."""


@dataclass(frozen=True)
class Latency:
    """From candle produced to order readable, milliseconds; ``rate`` is how many candles a second really came.

    The market runs for some seconds before that counts; ``cold_p99`` is of these.
    """

    orders: int
    rate: float
    p50: float
    p99: float
    worst: float
    cold_p99: float


@dataclass(frozen=True)
class Recovery:
    """Seconds from kill -9 to the first order for a candle that was published after the kill.

    ``state``: bytes of the checkpoint behind which it was killed.
    """

    symbols: int
    seconds: float
    state: int


class Market:
    """Publishes a feed minute by minute, ``every`` seconds one, in a thread, and knows when each was produced."""

    def __init__(self, job: Job, feed: Feed, every: float) -> None:
        self.produced: dict[Instant, float] = {}
        self._feed, self._topic, self._every, self._minute = feed, job.candles, every, 0
        self._producer = Producer({"bootstrap.servers": job.address, **SETTINGS, "linger.ms": 0})
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def history(self, minutes: int) -> None:
        """Publish the first minutes at once."""
        for _ in range(minutes):
            self._next()
            self._producer.flush(30)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End it, if it has not come to the end of its feed. What was produced is delivered."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self._producer.flush(30)

    @property
    def ts(self) -> int:
        """The last minute that was published."""
        return self._feed.ts[self._minute - 1]

    def _run(self) -> None:
        due = time.perf_counter()
        while self._minute < len(self._feed.ts) and not self._over.is_set():
            self._next()
            due += self._every
            while (left := due - time.perf_counter()) > 0:
                self._producer.poll(left)

    def _next(self) -> None:
        symbols, ts = self._feed.symbols, self._feed.ts[self._minute]
        at = self._minute * len(symbols)
        for symbol, value in zip(symbols, self._feed.values[at : at + len(symbols)], strict=True):
            self.produced[symbol, ts] = time.perf_counter()
            self._producer.produce(self._topic, value, symbol)
            self._producer.poll(0)
        self._minute += 1


class Orders:
    """Reads the entry orders of a penstock, as a reader of committed messages gets them, and checks them.

    Each signal of the feed owes one: an entry is the decision on a signal, and its time is the close of the signal's
    candle. ``read`` holds the moment at which each could be read.
    """

    def __init__(self, job: Job, feed: Feed) -> None:
        self.read: dict[Instant, float] = {}
        self._owed = {(symbol, ts) for symbol, ts, _ in feed.signals}
        settings = {
            "bootstrap.servers": job.address,
            "group.id": f"{job.prefix}orders",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
        self._consumer = Consumer(settings)
        self._consumer.assign([TopicPartition(f"{job.prefix}orders", 0, 0)])

    def all(self, ts: int, running: Running) -> None:
        """Read until every order up to an instant is there."""
        waiting = {candle for candle in self._owed if candle[1] <= ts} - self.read.keys()
        while waiting:
            waiting.discard(self._next(running))

    def one_after(self, moment: float, market: Market, running: Running) -> float:
        """Read until an order is there for a candle that was produced after a moment. Returns when it was there."""
        while market.produced[candle := self._next(running)] < moment:
            pass
        return self.read[candle]

    def close(self) -> None:
        self._consumer.close()

    def _next(self, running: Running) -> Instant:
        """The candle of the next entry. Raises SystemExit when penstock has ended or is silent, and for a wrong one."""
        until = time.perf_counter() + SILENCE_S
        while time.perf_counter() < until:
            message = self._consumer.poll(0.1)
            now = time.perf_counter()
            value = None if message is None else good(message)
            if value is None:
                running.alive()
                continue
            order = json.loads(value)
            if order["leg"] == "entry":
                return self._take((order["symbol"], order["ts"]), now)
        raise SystemExit(f"{len(self.read):,} of {len(self._owed):,} orders, and no more for {SILENCE_S} s")

    def _take(self, candle: Instant, now: float) -> Instant:
        if candle in self.read or candle not in self._owed:
            raise SystemExit(f"penstock entered on {candle} {'twice' if candle in self.read else 'without a signal'}")
        self.read[candle] = now
        return candle


@contextmanager
def _session(
    feed: Feed, every: float, address: str, folder: Path
) -> Iterator[tuple[Market, Orders, Callable[[], Running]]]:
    """A market, a reader of the orders on it, and what starts penstock between them."""
    job = Job(address, f"bench-{uuid.uuid4().hex[:8]}.", folder / uuid.uuid4().hex)
    job.folder.mkdir()
    side, started = penstock("penstock", 1), list[Running]()
    side.prepare(job)

    def start() -> Running:
        started.append(Running(side.command(job), job.folder))
        return started[-1]

    try:
        with closing(Orders(job, feed)) as orders, closing(Market(job, feed, every)) as market:
            yield market, orders, start
    finally:
        for running in started:
            running.kill()
        delete(address, job.prefix)


def latency(feed: Feed, history: int, warm_s: float, every: float, address: str, folder: Path) -> Latency:
    """Publish a feed, ``every`` seconds a minute of it, after the first ``history`` minutes, which come at once.

    Orders on the first ``warm_s`` seconds of that are told apart.

    Raises SystemExit when an order is missing, is there twice, or is none of those that are owed.
    """
    with _session(feed, every, address, folder) as (market, reader, start):
        running = start()
        market.history(history)
        reader.all(feed.ts[history - 1], running)
        market.start()
        reader.all(feed.ts[-1], running)
    produced = {candle: when for candle, when in market.produced.items() if candle[1] >= feed.ts[history]}
    began, ended = min(produced.values()), max(produced.values())
    took = [
        (when - began, 1_000 * (reader.read[candle] - when))
        for candle, when in produced.items()
        if candle in reader.read
    ]
    cold, warm = ([ms for at, ms in took if (at < warm_s) is early] for early in (True, False))
    p50, p99 = np.percentile(warm, [50, 99])
    rate = len(produced) / (ended - began)
    return Latency(len(warm), rate, float(p50), float(p99), max(warm), float(np.percentile(cold, 99)))


def recovery(feed: Feed, history: int, every: float, address: str, folder: Path) -> Recovery:
    """Publish a feed, ``every`` seconds a minute of it; kill -9 penstock behind a checkpoint, and start it again.

    Raises SystemExit when an order is missing afterwards, is there twice, or is none of those that are owed.
    """
    with _session(feed, every, address, folder) as (market, reader, start):
        running = start()
        market.history(history)
        reader.all(feed.ts[history - 1], running)
        market.start()
        state = checkpoint(running)
        reader.one_after(time.perf_counter(), market, running)
        running.kill()
        killed = time.perf_counter()
        running = start()
        seconds = reader.one_after(killed, market, running) - killed
        market.close()
        reader.all(market.ts, running)
    return Recovery(len(feed.symbols), seconds, state)


def checkpoint(running: Running) -> int:
    """Wait until an epoch of the live market is kept. Bytes of its checkpoint: the state of every key of every step."""
    newest = "SELECT length(ser_change), max(snap_epoch) FROM snaps GROUP BY step_id, state_key"
    (file,) = (running.folder / "state/recovery").glob("part-*.sqlite3")
    with closing(sqlite3.connect(file)) as part:
        before = _kept(part)
        while _kept(part) < before + 2:  # the next one to end may have begun before the market
            time.sleep(0.1)
            running.alive()
        return sum(length or 0 for length, _ in part.execute(newest))


def _kept(part: sqlite3.Connection) -> int:
    """The first epoch that is not kept as a whole yet."""
    (reached,) = part.execute("SELECT max(worker_frontier) FROM fronts").fetchone()
    return int(reached or 0)
