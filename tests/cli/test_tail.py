from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Producer

from cli.tail import as_line, in_words
from connectors.kafka.tail import Seen
from tests.kafka.topics import QUIET, new_topic

Run = Callable[..., Any]


def put(kafka: str, topic: str, values: list[bytes], partition: int = 0, part_of: str = "") -> Producer:
    """Messages on a partition, with key k0, k1, … and a header id, at seconds 1, 2, … of the epoch."""
    settings = {"transactional.id": part_of} if part_of else {}
    producer = Producer({"bootstrap.servers": kafka, **settings}, logger=QUIET)
    if part_of:
        producer.init_transactions(30)
        producer.begin_transaction()
    for at, value in enumerate(values):
        headers: list[tuple[str, str | bytes | None]] = [("id", f"id{at}".encode())]
        producer.produce(topic, value, f"k{at}", partition, timestamp=1_000 * (at + 1), headers=headers)
    assert producer.flush(30) == 0
    return producer


def records(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def tail(penstock: Run, kafka: str) -> Run:
    return lambda *words: penstock("tail", *words, PENSTOCK__KAFKA__BOOTSTRAP_SERVERS=kafka)


def test_without_options_the_last_ten_are_shown(tail: Run, kafka: str) -> None:
    topic = new_topic(kafka)
    put(kafka, topic, [b'{"n": %d}' % at for at in range(25)])
    result = tail(topic)
    assert result.code == 0, result.err
    assert result.out.splitlines()[-1] == '1970-01-01T00:00:25.000Z      0:24  k24  id=id24  {"n":24}'
    assert len(result.out.splitlines()) == 10


def test_the_last_messages_of_several_partitions_are_in_the_order_of_their_times(tail: Run, kafka: str) -> None:
    topic = new_topic(kafka, partitions=2)
    for partition in range(2):
        put(kafka, topic, [b"%d" % at for at in range(4)], partition)
    seen = records(tail(topic, "-n", "3", "--json").out)
    assert [(one["partition"], one["offset"], one["value"]) for one in seen] == [(1, 2, 2), (0, 3, 3), (1, 3, 3)]
    assert tail(topic, "-n", "0").out == ""


def test_markers_of_transactions_do_not_count_as_messages(tail: Run, kafka: str) -> None:
    topic = new_topic(kafka)
    for at in range(6):
        put(kafka, topic, [b"%d" % at], part_of=topic).commit_transaction(30)
    assert [one["value"] for one in records(tail(topic, "-n", "4", "--json").out)] == [2, 3, 4, 5]


def test_what_is_not_committed_is_not_shown(tail: Run, kafka: str) -> None:
    topic = new_topic(kafka)
    put(kafka, topic, [b"1"], part_of=topic).abort_transaction(30)
    put(kafka, topic, [b"2"])
    unfinished = put(kafka, topic, [b"3"], part_of=topic)
    assert [one["value"] for one in records(tail(topic, "--json").out)] == [2]
    unfinished.abort_transaction(30)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--from", "beginning"), [0, 1, 2, 3, 4]),
        (("--from", "beginning", "-n", "2"), [0, 1]),
        (("--from", "3"), [3, 4]),
        (("--from", "99"), []),
        (("--from", "end"), []),
        (("--from", "3", "-n", "1", "--follow"), [3]),
    ],
    ids=str,
)
def test_it_starts_where_it_is_told(tail: Run, kafka: str, words: tuple[str, ...], wanted: list[int]) -> None:
    topic = new_topic(kafka)
    put(kafka, topic, [b"%d" % at for at in range(5)])
    assert [one["value"] for one in records(tail(topic, "--json", *words).out)] == wanted


def test_it_follows_what_comes_until_it_is_interrupted(kafka: str) -> None:
    topic = new_topic(kafka)
    put(kafka, topic, [b"1"])
    command = [sys.executable, "-m", "cli.main", "tail", topic, "--json", "-f"]
    environ = {**os.environ, "PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": kafka}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["value"] == 1
        put(kafka, topic, [b"2"])
        assert json.loads(process.stdout.readline())["value"] == 2
        process.send_signal(signal.SIGINT)
        assert (process.wait(30), process.stdout.read(), process.stderr.read()) == (130, "", "")


def test_a_topic_that_is_not_there_is_named_with_those_there_are(tail: Run, kafka: str) -> None:
    topic = new_topic(kafka)
    result = tail("nothing")
    assert result.code == 2
    assert result.err.startswith(f"penstock: {kafka} has no topic nothing; there are: ")
    assert topic in result.err


def test_a_start_that_is_none_is_refused(tail: Run) -> None:
    assert tail("orders", "--from", "now").err == (
        "penstock: --from now: write beginning, end, or an offset such as 1200\n"
    )


def seen(value: bytes | None, key: bytes | None = b"k") -> Seen:
    return Seen("t", 0, 7, 1_500, key, None, value)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (b'{"price": 1.10000,\n "q": "2"}', '"value": {"price":1.10000,"q":"2"}}'),
        (b"plain", '"text": "plain"}'),
        (b"\xff\xfe", '"base64": "//4="}'),
        (None, '"value": null}'),
        (b"", '"text": ""}'),
    ],
)
def test_any_value_is_one_line_of_json(value: bytes | None, wanted: str) -> None:
    line = as_line(seen(value))
    assert line.endswith(wanted)
    assert json.loads(line)["time"] == "1970-01-01T00:00:01.500Z"


def test_a_message_cannot_command_the_terminal() -> None:
    assert in_words(seen(b"\x1b[2J\n\x9b", b"\xff")) == "1970-01-01T00:00:01.500Z       0:7  \\xff  \\x1b[2J\\n\\x9b"


def test_a_message_without_a_value_says_what_that_means() -> None:
    assert in_words(seen(None, None)).endswith("  -  (no value: deletes the key)")
