from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Producer

from connectors.kafka.admin import Topics
from connectors.kafka.candle_topic import CandleTopic
from connectors.kafka.connection import Connection
from flows.market import reports
from flows.outbox import new_outbox
from schemas.config.kafka import KafkaConfig
from schemas.deadletter import DeadLetter
from schemas.wire import encode
from sinks.kafka.messages import message
from sinks.kafka.publisher import Publisher
from tests.kafka.topics import QUIET, raw
from tests.schemas.examples import EXAMPLES

Run = Callable[..., Any]
HEADS: list[tuple[str, str | bytes | None]] = [("a=", b"\xff\\xff"), ("a", None), ("b", b"")]
VALUES = (b"\xff{", None, b'{"half')


@dataclass(frozen=True)
class Place:
    """An installation of its own, with three unusable messages on partition 2 of its candles."""

    kafka: str
    prefix: str
    run: Run
    letters: list[DeadLetter]

    @property
    def candles(self) -> str:
        return f"{self.prefix}candles"

    def __call__(self, *words: str) -> Any:
        environ = {"BOOTSTRAP_SERVERS": self.kafka, "PREFIX": self.prefix, "DEPLOYMENT": self.prefix + "d"}
        return self.run(*words, **{f"PENSTOCK__KAFKA__{name}": value for name, value in environ.items()})

    def put_aside(self, letters: list[DeadLetter]) -> None:
        topic = f"{self.prefix}deadletters"
        publisher = Publisher(
            {"bootstrap.servers": self.kafka}, self.prefix, "p", [topic], None, lambda one: (one,), log=QUIET
        )
        made = [message("deadletters", letter, "main") for letter in letters]
        publisher.publish([type(one)(topic, one.key, one.id, one.value, one.schema, one.traceparent) for one in made])


@pytest.fixture
def place(kafka: str, penstock: Run) -> Place:
    """What the dataflow makes of the messages: the source's columns and the market stage's reports."""
    here = Place(kafka, f"t{uuid.uuid4().hex[:8]}.", penstock, [])
    Topics(Connection(KafkaConfig(bootstrap_servers=kafka, prefix=here.prefix))).create()
    producer = Producer({"bootstrap.servers": kafka}, logger=QUIET)
    for value in VALUES:
        producer.produce(here.candles, value, b"\xfe", partition=2, headers=HEADS)
    assert producer.flush(30) == 0
    batch = CandleTopic(here.candles, 2).batch(raw(kafka, here.candles))
    outbox = new_outbox()
    reports.refusals(outbox, batch, np.zeros(len(batch), np.bool_), 60_000)
    here.letters.extend(DeadLetter.model_validate_json(encode(row)) for row in outbox["deadletters"])
    here.put_aside(here.letters)
    return here


def on_candles(place: Place) -> list[tuple[Any, ...]]:
    found = raw(place.kafka, place.candles)
    return [(one.partition(), one.key(), one.value(), one.headers()) for one in found]


def test_the_list_has_the_last_ones_and_the_totals_of_all(place: Place) -> None:
    from_a_file = DeadLetter(**{**EXAMPLES["deadletters"], "id": "x" * 36, "partition": None})
    place.put_aside([from_a_file])
    out = place("deadletters", "list", "-n", "2").out.splitlines()
    assert out[0].split() == ["id", "time", "from", "symbol", "reason"]
    rows = [line.split() for line in out[1:3]]
    assert [(row[0], *row[2:]) for row in rows] == [
        (place.letters[2].id[:8], f"{place.candles}:2:2", "-", "MESSAGE_INVALID"),
        ("xxxxxxxx", "a.csv:1", "A", "HIGH_BELOW_LOW"),
    ]
    assert [line.split(maxsplit=1) for line in out[3:]] == [
        ["3", "MESSAGE_INVALID"],
        ["1", "HIGH_BELOW_LOW"],
        ["4", "dead letters, the last 2 above"],
    ]
    only = [
        [
            json.loads(line)["value"]["position"]
            for line in place("deadletters", "list", "--json", *words).out.splitlines()
        ]
        for words in (
            ("--reason", "MESSAGE_INVALID"),
            ("--source", "a.csv"),
            ("--since", "1h"),
            ("--since", "2100-01-01"),
        )
    ]
    assert only == [[0, 1, 2], [1], [0, 1, 2, 1], []]


def test_one_is_shown_with_everything(place: Place) -> None:
    letter = place.letters[0]
    result = place("deadletters", "show", letter.id[:8])
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0] == f"id         {letter.id}"
    assert lines[2:8] == [
        "event time 1970-01-01T00:01:00.000Z",
        f"from       {place.candles}, partition 2, offset 0",
        "symbol     -",
        "reason     MESSAGE_INVALID",
        f"error      {letter.error}",
        r"key        \xfe",
    ]
    assert lines[8:] == [
        r"header     a= = \xff\xff",
        "header     a = (null)",
        "header     b = ",
        r"input      2 bytes, not UTF-8: other bytes are written as \xff",
        r"\xff{",
    ]
    assert letter.error.startswith("MESSAGE_INVALID: ")
    assert place("deadletters", "show", place.letters[1].id).out.splitlines()[-1] == "input      no value"


def test_a_requeued_one_is_on_its_partition_as_it_was(place: Place) -> None:
    ids = [letter.id for letter in place.letters]
    result = place("deadletters", "requeue", ids[0], ids[1][:8], "--yes")
    assert (result.code, result.out.splitlines()[-1]) == (0, "2 dead letters published"), result.err
    as_they_were = [(2, b"\xfe", value, HEADS) for value in VALUES]
    again = [(2, b"\xfe", VALUES[n], [*HEADS, ("requeued-from", ids[n].encode())]) for n in (0, 1)]
    assert on_candles(place) == as_they_were + again


def test_a_second_time_is_refused_unless_it_is_wanted(place: Place) -> None:
    first, second, _ = (letter.id for letter in place.letters)
    assert place("deadletters", "requeue", first, "-y").code == 0
    dry = place("deadletters", "requeue", "--reason", "MESSAGE_INVALID", "--dry-run")
    assert (dry.code, dry.out.splitlines()[-1]) == (0, "2 dead letters would be published")
    assert len(on_candles(place)) == 4
    refused = place("deadletters", "requeue", first, second, "-y")
    assert (refused.code, refused.out) == (1, f"{second}  {place.candles}:2:1\n1 dead letter published\n")
    assert refused.err.startswith(f"{first}: is on {place.candles} again already, 2:3, 20")
    assert place("deadletters", "requeue", first, "-y", "--again").code == 0
    names = [dict(heads).get("requeued-from", b"").decode() for *_, heads in on_candles(place)]
    assert names == ["", "", "", first, second, first]


def test_nothing_is_published_without_a_yes(place: Place) -> None:
    result = place("deadletters", "requeue", place.letters[0].id)
    assert (result.code, result.out.strip()) == (1, "")
    assert "Publish 1 dead letter again? [y/N]" in result.err
    assert len(on_candles(place)) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"partition": None}, "came from the file a.csv: mend the file and replay it again"),
        ({"partition": 1}, "came from a.csv, partition 1, which is not there"),
    ],
)
def test_what_did_not_come_from_a_topic_that_is_there_is_refused(
    place: Place, changes: dict[str, Any], message: str
) -> None:
    id_ = str(uuid.uuid4())
    place.put_aside([DeadLetter(**{**EXAMPLES["deadletters"], "id": id_, **changes})])
    result = place("deadletters", "requeue", id_, place.letters[0].id, "--yes")
    assert (result.code, result.err) == (2, f"penstock: {id_} {message}\n")
    assert len(on_candles(place)) == 3


def test_ids_that_are_none_or_too_short_are_refused(place: Place) -> None:
    topic = f"{place.prefix}deadletters"
    assert place("deadletters", "show", "0" * 12).err == (
        f"penstock: no dead letter {'0' * 12} on {topic}: penstock deadletters list shows those there are\n"
    )
    assert place("deadletters", "show", "abc").err == "penstock: abc: write at least 8 letters of the id\n"
    assert place("deadletters", "requeue").err.startswith("penstock: name the dead letters by their ids, or all of")
    assert place("deadletters", "requeue", "--reason", "NONE").err == (
        f"penstock: no dead letter on {topic} has the reason NONE: penstock deadletters list shows those there are\n"
    )


def test_of_two_that_requeue_at_once_only_the_younger_can(kafka: str, place: Place) -> None:
    from sinks.kafka.errors import FencedError
    from sinks.kafka.requeue import Requeue, settings

    client = {**settings(place.prefix), "bootstrap.servers": kafka}
    older, younger = (Requeue(Producer(client, logger=QUIET)) for _ in range(2))
    with pytest.raises(FencedError, match="somebody else requeues"):
        older.publish(place.letters)
    assert younger.publish(place.letters[:1]) == 1
    assert len(on_candles(place)) == 4


def test_a_message_that_is_no_dead_letter_is_told_and_left_out(place: Place) -> None:
    producer = Producer({"bootstrap.servers": place.kafka}, logger=QUIET)
    producer.produce(f"{place.prefix}deadletters", b"{}")
    assert producer.flush(30) == 0
    result = place("deadletters", "list", "--json")
    assert (result.code, len(result.out.splitlines())) == (0, 3)
    assert "is no dead letter: id: Field required" in result.err
