"""A process with little memory that takes fuzzed messages: ``python -m tests.fuzz.child SEED COUNT BYTES``."""

from __future__ import annotations

import json
import random
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from connectors.kafka.candle_topic import CandleTopic
from tests.fuzz.judge import Judge
from tests.fuzz.messages import Headers, Message, fuzzed

NOW = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Received:
    """A message as confluent-kafka hands it over."""

    at: int
    message: Message

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes:
        return self.message[0]

    def value(self) -> bytes | None:
        return self.message[1]

    def headers(self) -> Headers:
        return self.message[2]

    def timestamp(self) -> tuple[int, int]:
        return 1, NOW


def received(seed: int, count: int) -> Iterator[Received]:
    return (Received(at, message) for at, message in enumerate(fuzzed(seed, count)))


def allow(more: int) -> None:
    """Let the process have so many bytes more than it has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    size = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def run(seed: int, count: int, more: int) -> dict[str, int]:
    """Judge the messages in batches of many sizes, under a limit from the second thousand on."""
    rng, topic, judge = random.Random(seed), CandleTopic("candles", 0), Judge(fuzzed(seed, count), "candles-0")
    messages, total = received(seed, count), 0
    while batch := list(islice(messages, rng.choice([1, 10, 100, 1_000]))):
        judge(topic.batch(batch))
        limited, total = total > 1_000, total + len(batch)
        if total > 1_000 and not limited:
            allow(more)
    return dict(judge.done(total))


if __name__ == "__main__":
    print(json.dumps(run(*map(int, sys.argv[1:]))))
