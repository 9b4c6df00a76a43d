"""A process that publishes a fixed list of messages, to be killed: ``python child.py SETTINGS`` (JSON).

Batches and the times of checkpoints are drawn with ``seed``, so they differ from one start to the next. Each batch is
told to the journal, too, a row for each message, the SHARDS in turn. The process kills itself at the ``times``-th
passage of probe ``kill``; C is inside the writing of a checkpoint.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from schemas.slices import Slices
from sinks.kafka import journal
from sinks.kafka.checkpoint import Checkpoint
from sinks.kafka.courier import Courier
from sinks.kafka.envelope import Message
from sinks.kafka.publisher import Publisher
from tests.kafka.topics import QUIET

KEYS = 7
SHARDS = ("candles-0", "candles-1")
journal.ROWS = 3  # so that entries are in parts, too


def stream(topics: list[str], count: int) -> list[Message]:
    """The messages, the same each time."""
    return [
        Message(topics[n * n % 5 % len(topics)], f"key-{n % KEYS}", f"id-{n}", f"value {n}".encode() * (1 + n % 3))
        for n in range(count)
    ]


def told(shard: int, begin: int, end: int) -> Slices:
    """What a shard says of the messages from ``begin`` on, before ``end``."""
    own = np.array([n for n in range(begin, end) if n % len(SHARDS) == shard], np.int64)
    price = own.astype(np.float64)
    return Slices(
        shard=SHARDS[shard],
        shards=SHARDS,
        symbols=("BTC/USDT",),
        timeframes=np.array([60_000]),
        slot=np.zeros(len(own), np.int32),
        ts=own * 60_000,
        open=price,
        high=price,
        low=price,
        close=price,
        position=own,
        signals=(),
        signal_row=(),
        upto=end,
        watermark=end * 60_000 - 1,
    )


class Child:
    """The loop, its checkpoint file, and its end."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.kill, self.left = settings["kill"], int(settings["times"])
        self.random = random.Random(settings["seed"])
        self.messages = stream(settings["topics"].split(","), int(settings["count"]))
        self.prefix = settings["journal"].removesuffix(journal.TOPIC)
        self.file = Path(settings["file"])
        self.at, checkpoint = 0, None
        if self.file.exists():
            head, _, packed = self.file.read_bytes().partition(b"\n")
            self.at, checkpoint = int(head), Checkpoint.unpack(packed)
        topics = [*settings["topics"].split(","), settings["journal"]]
        names = ({"bootstrap.servers": settings["address"]}, settings["deployment"], "part", topics)
        self.courier = Courier("part", lambda: Publisher(*names, checkpoint, self.diverged, self.probe, QUIET))

    def diverged(self, message: Message) -> Sequence[Message]:
        raise AssertionError(f"{message.id} diverged")

    def probe(self, name: str) -> None:
        if name == self.kill:
            self.left -= 1
            if self.left == 0:
                print(name, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    def save(self) -> None:
        fresh = self.file.with_suffix(".fresh")
        packed = b"%d\n" % self.at + self.courier.finish().checkpoint().pack()
        with fresh.open("wb") as file:
            file.write(packed[: len(packed) // 2])
            file.flush()
            self.probe("C")
            file.write(packed[len(packed) // 2 :])
        fresh.rename(self.file)

    def run(self) -> None:
        while self.at < len(self.messages):
            end = min(self.at + self.random.randint(1, 12), len(self.messages))
            for shard in range(len(SHARDS)):
                self.courier.publisher().say(journal.entries(told(shard, self.at, end), "main", self.prefix))
            self.courier.give(self.messages[self.at : end])
            self.at = end
            if self.random.random() < 0.3:
                self.save()
        self.courier.finish()


if __name__ == "__main__":
    Child(json.loads(sys.argv[1])).run()
    print("done", flush=True)
