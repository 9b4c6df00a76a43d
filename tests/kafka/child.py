"""A process that publishes a fixed list of messages, to be killed: ``python child.py SETTINGS`` (JSON).

Batches and the times of checkpoints are drawn with ``seed``, so they differ from one start to the next. The process
kills itself at the ``times``-th passage of probe ``kill``; C is inside the writing of a checkpoint.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path

from sinks.kafka.checkpoint import Checkpoint
from sinks.kafka.publisher import Message, Publisher
from tests.kafka.topics import QUIET

KEYS = 7


def stream(topics: list[str], count: int) -> list[Message]:
    """The messages, the same each time."""
    return [
        Message(topics[n * n % 5 % len(topics)], f"key-{n % KEYS}", f"id-{n}", f"value {n}".encode() * (1 + n % 3))
        for n in range(count)
    ]


class Child:
    """The loop, its checkpoint file, and its end."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.kill, self.left = settings["kill"], int(settings["times"])
        self.random = random.Random(settings["seed"])
        self.messages = stream(settings["topics"].split(","), int(settings["count"]))
        self.file = Path(settings["file"])
        self.at, checkpoint = 0, None
        if self.file.exists():
            head, _, packed = self.file.read_bytes().partition(b"\n")
            self.at, checkpoint = int(head), Checkpoint.unpack(packed)
        self.publisher = Publisher(
            {"bootstrap.servers": settings["address"]},
            settings["deployment"],
            "part",
            settings["topics"].split(","),
            checkpoint,
            self.diverged,
            self.probe,
            QUIET,
        )

    def diverged(self, message: Message) -> Message:
        raise AssertionError(f"{message.id} diverged")

    def probe(self, name: str) -> None:
        if name == self.kill:
            self.left -= 1
            if self.left == 0:
                print(name, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    def save(self) -> None:
        fresh = self.file.with_suffix(".fresh")
        packed = b"%d\n" % self.at + self.publisher.checkpoint().pack()
        with fresh.open("wb") as file:
            file.write(packed[: len(packed) // 2])
            file.flush()
            self.probe("C")
            file.write(packed[len(packed) // 2 :])
        fresh.rename(self.file)

    def run(self) -> None:
        while self.at < len(self.messages):
            size = self.random.randint(1, 12)
            self.publisher.publish(self.messages[self.at : self.at + size])
            self.at = min(self.at + size, len(self.messages))
            if self.random.random() < 0.3:
                self.save()


if __name__ == "__main__":
    Child(json.loads(sys.argv[1])).run()
    print("done", flush=True)
