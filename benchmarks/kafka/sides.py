"""The sides of the race: how each is started as a process of its own, and what it has to write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.kafka.broker_io import SHARDS, create, signals
from benchmarks.kafka.market import FAST, SLOW, Feed, difference

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
OUR_PYTHON = Path(sys.executable)
PEER_PYTHON = HERE / ".venv/bin/python"
PENSTOCK = OUR_PYTHON.parent / "penstock"
ENDS_WITHIN_S = 30


@dataclass(frozen=True)
class Job:
    """Where one run of one side reads, writes and keeps its state. All its names begin with ``prefix``."""

    address: str
    prefix: str
    folder: Path

    @property
    def candles(self) -> str:
        return f"{self.prefix}candles"

    @property
    def out(self) -> str:
        return f"{self.prefix}signals"


@dataclass(frozen=True)
class Side:
    """One side. ``prepare`` makes its topics (and what else it needs); ``command`` is what is run then."""

    name: str
    prepare: Callable[[Job], None]
    command: Callable[[Job], list[str]]
    per_candle: bool = False
    """It writes a message for each candle, not for each signal."""
    most: int | None = None
    """Candles at most, for a side that would hold up all others for minutes."""

    def owes(self, feed: Feed, minutes: int | None = None) -> int:
        """How many messages it has to write for the first minutes; None: for all."""
        minutes = len(feed.ts) if minutes is None else minutes
        return minutes * len(feed.symbols) if self.per_candle else feed.count(minutes)

    def wrong(self, feed: Feed, values: list[bytes]) -> str | None:
        """None when it wrote what it has to, each message once; else what differs."""
        if not self.per_candle:
            return difference(feed.signals, signals(values))
        missing, more = Counter(feed.values) - Counter(values), Counter(values) - Counter(feed.values)
        if not missing and not more:
            return None
        return f"{missing.total()} candles missing, {more.total()} too many"


class Running:
    """A side at work, in a process group of its own, its words in ``log``."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.folder, self.log, self._command, self._killed = folder, folder / "log", command, False
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PENSTOCK")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=clean, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Of the first process, and of the group."""
        return self._process.pid

    def alive(self) -> None:
        """Raises SystemExit, with its last words, when it has ended by itself."""
        code = self._process.poll()
        if code is not None:
            words = self.log.read_text(errors="replace")[-4_000:]
            raise SystemExit(f"{' '.join(self._command)}\nended with {code}:\n{words}")

    def stop(self) -> None:
        """Ask it to end, then make it: it has done its work."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS_WITHIN_S)
        self.kill()

    def kill(self) -> None:
        """Kill -9 of the whole group, once."""
        if not self._killed:
            self._killed = True
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):  # it has ended
            os.killpg(self._process.pid, number)


def settings(job: Job) -> dict[str, Any]:
    """Penstock under the peers' rules: fixed quantity, nothing refused, a stop too far to be hit, no target."""
    params = {"fast": FAST, "slow": SLOW, "stop_pct": 90, "reward_to_risk": None}
    return {
        "kafka": {"bootstrap_servers": job.address, "prefix": job.prefix, "deployment": f"{job.prefix}penstock"},
        "serve": {"port": 0},
        "strategies": [{"use": "sma_cross", "params": params}],
        "exits": {"require_target": False},
        "portfolio": {"cash": 10_000_000, "leverage": 125},
        "risk": {
            "sizing": "fixed_quantity",
            "quantity": 1,
            "max_position_pct": 1e9,
            "max_gross_exposure_pct": 1e9,
            "max_open_positions": 1_000_000,
            "min_reward_to_risk": 0,
        },
    }


def prepare_penstock(job: Job) -> None:
    """The configuration, and `penstock topics create`."""
    config = job.folder / "penstock.yaml"
    config.write_text(json.dumps(settings(job)))  # JSON is YAML
    subprocess.run([PENSTOCK, "topics", "create", "--config", config], check=True, stdout=subprocess.DEVNULL)


def penstock(name: str, processes: int) -> Side:
    """Penstock in so many processes."""

    def command(job: Job) -> list[str]:
        words = ["--config", job.folder / "penstock.yaml", "--state", job.folder / "state"]
        return [*map(str, (PENSTOCK, "run", *words, "--processes", processes))]

    return Side(name, prepare_penstock, command)


def script(name: str, python: Path, file: str, *words: str, per_candle: bool = False, most: int | None = None) -> Side:
    """A peer's script: ``file ADDRESS CANDLES OUT GROUP WORDS…``."""

    def prepare(job: Job) -> None:
        create(job.address, {job.candles: SHARDS, job.out: 1})

    def command(job: Job) -> list[str]:
        return [str(python), str(PEERS / file), job.address, job.candles, job.out, f"{job.prefix}peer", *words]

    return Side(name, prepare, command, per_candle, most)


SIDES = {
    side.name: side
    for side in (
        penstock("penstock", 1),
        penstock("penstock, 2 processes", 2),
        script("Bytewax", OUR_PYTHON, "bytewax_flow.py"),
        script("Quix Streams", PEER_PYTHON, "quix_app.py", "state"),
        script("Faust", PEER_PYTHON, "faust_app.py", "state", str(SHARDS), most=30_000),
        script("bare loop, signals", OUR_PYTHON, "bare.py", "signals"),
        script("bare loop, every candle", OUR_PYTHON, "bare.py", "candles", per_candle=True),
    )
}
