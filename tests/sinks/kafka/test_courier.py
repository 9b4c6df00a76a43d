from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from sinks.kafka import courier
from sinks.kafka.courier import Courier
from sinks.kafka.envelope import Message
from sinks.kafka.errors import FencedError
from sinks.kafka.publisher import Publisher
from tests.kafka.topics import QUIET, new_topic, rows


@pytest.fixture
def topic(kafka: str) -> str:
    return new_topic(kafka)


def several(topic: str, *ids: str) -> list[Message]:
    return [Message(topic, "key", id_, b"value") for id_ in ids]


class Held:
    """A courier whose publisher stops in each transaction until ``go`` is set. ``commits`` are their sizes."""

    def __init__(self, address: str, topic: str) -> None:
        self.within, self.go = threading.Event(), threading.Event()
        self.commits: list[int] = []
        self.troubles: list[str] = []
        client = {"bootstrap.servers": address}
        self.courier = Courier(
            "part",
            lambda: Publisher(client, topic, "part", [topic], None, lambda _: (), self.probe, QUIET, self.count),
            self.troubles.append,
        )

    def count(self, counts: Mapping[str, int]) -> None:
        self.commits.append(sum(counts.values()))

    def probe(self, step: str) -> None:
        if step == "P2":
            self.within.set()
            assert self.go.wait(60)


def test_all_that_came_during_a_transaction_goes_into_the_next_one_in_order(kafka: str, topic: str) -> None:
    held = Held(kafka, topic)
    held.courier.give(several(topic, "a"))
    held.within.wait(60)
    for id_ in "bcd":
        held.courier.give(several(topic, id_))
    held.go.set()
    held.courier.finish()
    assert held.commits == [1, 3]
    assert [id_ for _, _, id_, _ in rows(kafka, topic)] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("bound", "most"), [("MOST_MESSAGES", 2), ("MOST_BYTES", 10)])
def test_who_gives_more_than_there_is_room_for_waits(
    kafka: str, topic: str, bound: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, bound, most)
    held, given = Held(kafka, topic), threading.Event()
    held.courier.give(several(topic, "a"))
    held.within.wait(60)
    held.courier.give(several(topic, "b", "c"))

    def give_more() -> None:
        held.courier.give(several(topic, "d"))
        given.set()

    threading.Thread(target=give_more).start()
    assert not given.wait(0.2)
    held.go.set()
    assert given.wait(60)
    held.courier.finish()
    assert held.commits == [1, 2, 1]


def test_more_than_the_bound_at_once_goes_when_nothing_else_waits(
    kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "MOST_MESSAGES", 1)
    held = Held(kafka, topic)
    held.go.set()
    held.courier.give(several(topic, "a", "b", "c"))
    held.courier.finish()
    assert held.commits == [3]


def test_what_the_publisher_raises_is_raised_from_then_on_and_told(kafka: str, topic: str) -> None:
    held = Held(kafka, topic)
    held.courier.give(several(topic, "a"))
    held.within.wait(60)
    Publisher({"bootstrap.servers": kafka}, topic, "part", [topic], None, lambda _: (), log=QUIET)
    held.go.set()
    for _ in range(2):
        with pytest.raises(FencedError, match="another process has taken over"):
            held.courier.finish()
        with pytest.raises(FencedError):
            held.courier.give(several(topic, "b"))
    assert [trouble.partition(": ")[0] for trouble in held.troubles] == [f"{topic}.part"]
    held.courier.close()
    assert rows(kafka, topic) == []


def test_closing_publishes_what_was_given(kafka: str, topic: str) -> None:
    held = Held(kafka, topic)
    held.go.set()
    held.courier.give(several(topic, "a", "b"))
    held.courier.close()
    assert [id_ for _, _, id_, _ in rows(kafka, topic)] == ["a", "b"]


def test_closing_ends_although_no_broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "CLOSES_WITHIN_S", 0.1)
    held = Held("127.0.0.1:1", "topic")
    held.courier.give(several("topic", "a"))
    held.courier.close()
    assert held.commits == []


def test_an_idle_publisher_is_polled(kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    polled = threading.Event()
    monkeypatch.setattr(courier, "IDLE_S", 0.01)
    monkeypatch.setattr(Publisher, "poll", lambda self: polled.set())
    held = Held(kafka, topic)
    held.courier.finish()
    assert polled.wait(60)
