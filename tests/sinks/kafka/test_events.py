from __future__ import annotations

import json
import time

from sinks.kafka.events import EventTopic
from tests.kafka.topics import new_topic, raw


def test_events_are_on_their_topic_in_order_with_the_time_of_the_clock(kafka: str) -> None:
    topic = new_topic(kafka)
    prefix = topic + "."
    events = EventTopic({"bootstrap.servers": kafka}, "mine", prefix)
    new_topic(kafka, name=f"{prefix}events")
    before = time.time_ns() // 1_000_000
    events("run.started", version="1.0")
    events("trouble", part="candles-0", text="away")
    events.close()
    found = raw(kafka, f"{prefix}events")
    records = [json.loads(message.value()) for message in found]
    assert [(one["name"], one["run"], one["figures"]) for one in records] == [
        ("run.started", "mine", {"version": "1.0"}),
        ("trouble", "mine", {"part": "candles-0", "text": "away"}),
    ]
    assert before <= records[0]["ts"] <= records[1]["ts"] <= time.time_ns() // 1_000_000
    assert [message.key() for message in found] == [b"mine"] * 2
    assert [dict(message.headers())["schema"] for message in found] == [b"Event/1"] * 2


def test_events_that_no_broker_takes_hold_nobody_up() -> None:
    events = EventTopic({"bootstrap.servers": "127.0.0.1:9"}, "mine")
    for _ in range(10):
        events("trouble", text="x" * 1_000)
    began = time.monotonic()
    events.close()
    assert time.monotonic() - began < 30
