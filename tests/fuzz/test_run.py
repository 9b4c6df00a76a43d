"""Bad input through the whole of a live run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from schemas.deadletter import DeadLetter, bytes_of, header_of, value_of
from tests.command import environment
from tests.fuzz.messages import GOOD, Message, fuzzed, place
from tests.kafka.topics import QUIET, rows

COUNT = int(os.environ.get("PENSTOCK_FUZZ", "5000"))  # bad messages; with 100000 it takes some minutes
WITHIN_S = 600.0


def command(address: str, prefix: str, *words: str) -> list[str]:
    own = (f"kafka.bootstrap_servers={address}", f"kafka.prefix={prefix}", f"kafka.deployment={prefix}", "serve.port=0")
    return [sys.executable, "-m", "cli.main", *words, *(word for one in own for word in ("--set", one))]


def produced(address: str, topic: str) -> dict[tuple[int, int], Message]:
    """Put the messages on the topic; returns each under its partition and offset."""
    producer, there = Producer({"bootstrap.servers": address}, logger=QUIET), dict[tuple[int, int], Message]()

    def delivered(message: Message) -> Any:
        def note(error: Any, sent: Any) -> None:
            assert error is None, error
            there[(sent.partition(), sent.offset())] = message

        return note

    for message in fuzzed(3, COUNT):
        key, value, headers, _ = message
        while True:
            try:
                # One partition: what is good is so in the order of all, and the others are empty.
                producer.produce(topic, value, key, partition=2, headers=headers, on_delivery=delivered(message))
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0
    return there


def test_every_good_message_is_journaled_and_every_bad_one_is_a_dead_letter(kafka: str, tmp_path: Path) -> None:
    prefix = f"fuzz-{tmp_path.parent.name}-{tmp_path.name}."
    made = subprocess.run(command(kafka, prefix, "topics", "create"), env=environment(), check=False)
    assert made.returncode == 0
    sent = produced(kafka, f"{prefix}candles")
    bad = {at for at, (*_, kind) in sent.items() if kind != GOOD}
    words = command(kafka, prefix, "run", "--state", str(tmp_path / "state"))
    with subprocess.Popen(words, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as running:
        try:
            until = time.monotonic() + WITHIN_S
            while len(letters := rows(kafka, f"{prefix}deadletters")) < len(bad) or not said(kafka, prefix, len(sent)):
                assert running.poll() is None, running.stderr and running.stderr.read()
                assert time.monotonic() < until, f"{len(letters)} of {len(bad)} dead letters"
        finally:
            running.terminate()
            running.communicate(timeout=60)
    assert running.returncode == 0
    found = Counter[tuple[int, int]]()
    for *_, value in letters:
        letter = DeadLetter.model_validate_json(value)
        at = (letter.partition or 0, letter.position)
        key, raw, headers, _ = sent[at]
        assert (value_of(letter), bytes_of(letter.key or "")) == (raw, key)
        assert [header_of(header) for header in letter.headers] == headers
        found[at] += 1
    assert found == Counter(bad)
    journaled = [row for entry in journal(kafka, prefix) for row in zip(entry["position"], entry["ts"], strict=True)]
    good = sorted(offset for (_, offset), (*_, kind) in sent.items() if kind == GOOD)
    assert sorted(journaled) == [(offset, place(number)[1]) for number, offset in enumerate(good)]


def journal(address: str, prefix: str) -> list[dict[str, Any]]:
    return [json.loads(value) for *_, value in rows(address, f"{prefix}journal")]


def said(address: str, prefix: str, count: int) -> bool:
    """Whether the journal says everything that is on the partition."""
    return max((entry["upto"] for entry in journal(address, prefix)), default=0) >= count
