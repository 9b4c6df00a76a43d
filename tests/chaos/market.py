"""The candles of a kill matrix, what a replay makes of them, and how they come onto the topic."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import msgspec
from confluent_kafka import Producer

from connectors.candle_file import read_candles
from connectors.recorded import Refused, recorded
from connectors.sharding import merge, shard_of
from connectors.simulated import write_market
from connectors.simulated_spec import SYMBOLS, MarketSpec, SimulatedSymbol
from schemas.candle import Candle
from schemas.command import Command
from schemas.topics import TOPICS
from sinks.kafka.messages import message
from sinks.kafka.recording import SETTINGS, Recording
from tests.chaos.compare import Row
from tests.command import environment

PORTFOLIO = "main"
SHARDS = TOPICS["candles"].partitions
DECIDED = ("signals", "orders", "rejections", "fills", "positions", "breakers", "equity")
COMPARED = (*DECIDED, "metrics", "deadletters")
"""What the candles make, and the commands at their places in event time."""
JOURNALED = (*DECIDED, "replies", "audit", "alerts")
"""What the journal makes, to the byte, clocks and all."""
SEVERAL_PARTS = ("metrics", "deadletters", "alerts")
"""Written under one key by several parts, so their order is not fixed."""

ROOT = Path(__file__).resolve().parents[2]
SETTINGS_FILE = "penstock.yaml"
CONFIGURATION = """\
market:
  shards: {shards}
  max_wait: {max_wait}
strategies:
  - use: sma_cross
    params: {{fast: 3, slow: 7, stop_pct: 0.5}}
  - use: sma_atr
    mode: shadow
    params: {{fast: 2, slow: 5, atr_length: 3, min_atr_pct: 0}}
risk:
  max_open_positions: 8
breakers:
  consecutive_losses: {{most: 3, scope: symbol, reset: 15m}}
  drawdown: {{max_pct: 1, action: close, reset: 1h}}
  losses: {{most: 12, window: 30m, action: reduce, share_pct: 30, reset: 20m}}
  order_rate: {{most: 12, window: 10m, reset: 20m}}
  divergence: {{alarms: 2}}
entries: {{type: limit, at: 0.02, candles: 3}}
exits:
  ladder: [{{share_pct: 40, at: 1}}, {{share_pct: 30, by: percent, at: 0.8}}]
  dual: {{stop_money: 150, at: 0.8}}
  break_even_after: 1
  trail: percent
  trail_at: 0.4
  time_candles: 120
commands:
  senders: {{ann: ["*"]}}
  max_age: 36500d
  confirm_within: 7d
  intents_expire: 7d
run:
  checkpoint_every_s: 0.3
  batch_rows: 200
  equity_every: 15m
  html: false
serve:
  port: 0
kafka:
  bootstrap_servers: {address}
  prefix: {name}.
  deployment: {name}
"""


def words(*command: str | Path) -> list[str]:
    """``penstock COMMAND``."""
    return [sys.executable, "-P", "-m", "cli.main", *map(str, command)]


def environ() -> dict[str, str]:
    """Nothing of the user's; a crash of the interpreter tells where it was."""
    return environment(PYTHONPATH=str(ROOT), PYTHONFAULTHANDLER="1")


def penstock(folder: Path, *command: str | Path) -> str:
    """Run a command to its end. Returns what it prints."""
    done = subprocess.run(
        words(*command), cwd=folder, env=environ(), capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"penstock {' '.join(map(str, command))}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def simulated(*, every_shard: bool) -> tuple[SimulatedSymbol, ...]:
    """The simulated market's symbols; they leave a shard empty, for which there is one more if wanted."""
    taken = {shard_of(one.symbol, SHARDS) for one in SYMBOLS}
    assert len(taken) == SHARDS - 1
    if not every_shard:
        return SYMBOLS
    free = next(f"T{n}/USDT" for n in range(100) if shard_of(f"T{n}/USDT", SHARDS) not in taken)
    return (*SYMBOLS, replace(SYMBOLS[-1], symbol=free, price=25.0, tick=Decimal("0.001")))


class Market:
    """Candle files in ``folder``, and the replay of all of them with the configuration that lies there."""

    def __init__(self, folder: Path, symbols: Sequence[SimulatedSymbol], days: int, seed: int) -> None:
        self.folder = folder
        self.paths = write_market(folder / "market", MarketSpec(symbols=tuple(symbols), days=days, seed=seed))
        candles: list[Candle] = []
        for row in recorded(merge([read_candles(path) for path in self.paths])):
            assert not isinstance(row, Refused)
            candles.append(row)
        self.instants = [list(group) for _, group in groupby(candles, lambda one: one.ts)]

    def replay(self, commands: Sequence[Command] = ()) -> dict[str, list[Row]]:
        """What the topics should hold, by the candles alone and these commands, each behind the instant of its time."""
        text = "".join(f"{one.model_dump_json()}\n" for one in commands)
        (self.folder / "commands.jsonl").write_text(text, encoding="utf-8")
        return self._replayed("replayed", COMPARED, *self.paths, "--commands", "commands.jsonl")

    def replay_journal(self) -> dict[str, list[Row]]:
        """What the topics should hold, by the journal alone."""
        return self._replayed("journaled", JOURNALED, "--from-kafka", "--of", "journal")

    def _replayed(self, out: str, topics: Sequence[str], *words: str | Path) -> dict[str, list[Row]]:
        penstock(self.folder, "replay", *words, "--out", out, "--no-html")
        found = {}
        for topic in topics:
            path = self.folder / out / f"{topic}.jsonl"
            found[topic] = [expected(topic, line) for line in path.read_bytes().splitlines()] if path.exists() else []
        return found


def expected(topic: str, line: bytes) -> Row:
    """The row of a record as a replay wrote it."""
    one = message(topic, msgspec.json.decode(line), PORTFOLIO)
    return row(topic, one.key, one.id, line)


def row(topic: str, key: str, id_: str, value: bytes) -> Row:
    """The row of a record. The signal of a click is of another part than those of the strategies."""
    if topic in SEVERAL_PARTS:
        return Row(id_, id_, value)
    return Row(f"{key} by hand" if topic == "signals" and b'"strategy":"manual"' in value else key, id_, value)


class Feed:
    """Publishes a market piece by piece. A piece ends where an instant does, for all symbols."""

    def __init__(self, market: Market, address: str, topic: str) -> None:
        self._left, self._address = iter(market.instants), address
        self.topic, self.left = topic, len(market.instants)
        self.refresh()
        self.said: dict[str, list[Row]] = defaultdict(list)
        """By shard: what the journal should say of each candle, once."""
        self.closes: dict[str, float] = {}
        """By symbol: the last close."""

    def refresh(self) -> None:
        """Begin to publish, or get to know of new partitions."""
        self._recording = Recording(Producer({**SETTINGS, "bootstrap.servers": self._address}), self.topic)

    def publish(self, instants: int) -> None:
        """Publish the next instants, as many as there are, and wait until all are delivered."""
        candles = [candle for _, group in zip(range(instants), self._left, strict=False) for candle in group]
        self.left -= min(instants, self.left)
        self._recording.publish(candles)
        for one in candles:
            self.closes[one.symbol] = one.close
            shard = f"{self.topic}-{shard_of(one.symbol, SHARDS)}"
            at = len(self.said[shard])
            self.said[shard].append(spoken(shard, at, one.symbol, one.ts, one.open, one.high, one.low, one.close))

    @property
    def ends(self) -> dict[str, int]:
        """By shard: the offset behind its last candle."""
        return {shard: len(rows) for shard, rows in self.said.items()}


def spoken(shard: str, position: int, *figures: str | float) -> Row:
    """One candle in the journal."""
    return Row(shard, f"{shard}@{position}", " ".join(map(str, figures)).encode())


def heard(shard: str, position: int, id_: str) -> Row:
    """One command in the journal."""
    return Row(shard, f"{shard}@{position}", id_.encode())
