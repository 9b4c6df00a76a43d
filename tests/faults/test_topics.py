"""Topics whose records are gone, that were made anew, or that have other partitions than before."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions, NewTopic

from tests.faults.conftest import Install
from tests.faults.live import Live


def done(asked: dict[Any, Future[Any]]) -> None:
    for future in asked.values():
        future.result()


def make_anew(live: Live, topic: str, partitions: int) -> None:
    name = live.kafka.topic(topic)
    done(live.admin.admin.delete_topics([name]))
    while name in live.admin.names():
        pass
    done(live.admin.admin.create_topics([NewTopic(name, partitions, 1)]))


def test_candles_that_aged_out_before_they_were_read(live: Live) -> None:
    live.at_rest(300)
    live.feed.publish(300)
    candles = live.kafka.topic("candles")
    low = live.feed.ends[f"{candles}-0"] - 100
    done(live.admin.admin.delete_records([TopicPartition(candles, 0, low)]))
    for processes in ("1", "2"):
        said = live.start("--processes", processes).refused()
        assert f"penstock: {candles}-0: candles from offset" in said
        assert f"but the broker has {low} to" in said
        assert "begin as somebody else, with another kafka.deployment and portfolio.name; kafka.start says" in said
    as_other = ("--state", "other", "--set", "kafka.deployment=other", "--set", "kafka.start=end")
    said = live.start(*as_other).refused()
    assert said.endswith("set another portfolio.name")
    run = live.start(*as_other, "--set", "portfolio.name=other")
    run.until_said("state in other")
    assert run.end() == 0, run.said()


@pytest.mark.parametrize("topic", ["candles", "journal"])
def test_a_topic_that_was_made_anew_ends_the_run(live: Live, topic: str) -> None:
    live.at_rest(100)
    make_anew(live, topic, 1 if topic == "journal" else 4)
    said = live.start("--accept-changes").refused()
    assert said == (
        f"penstock: {live.kafka.topic(topic)} was deleted and made anew since state was made: begin as somebody else, "
        "with another --state, kafka.deployment and portfolio.name"
    )


def test_a_missing_topic_is_named(live: Live) -> None:
    name = live.kafka.topic("fills")
    done(live.admin.admin.delete_topics([name]))
    said = live.start().refused()
    assert said == f"penstock: Kafka at {live.address} lacks {name}: penstock topics create"


def test_too_few_partitions_are_told_and_do(live: Live) -> None:
    make_anew(live, "candles", 2)
    run = live.start()
    run.until_said(f"{live.kafka.topic('candles')} has fewer partitions than usual: see `penstock topics check`")
    live.finish(run, journal=False)
    assert run.end() == 0


def test_partitions_that_are_added_are_told_and_read_when_that_is_accepted(install: Install, kafka: str) -> None:
    live = install(kafka, "  client: {statistics.interval.ms: 100, topic.metadata.refresh.interval.ms: 100}\n")
    live.feed.publish(300)
    run = live.start()
    live.until_said_all(run)
    candles = live.kafka.topic("candles")
    done(live.admin.admin.create_partitions([NewPartitions(candles, 6)]))
    run.until_said(f"{candles} has 6 partitions now: --accept-changes at the next start reads the new ones")
    assert run.end() == 0
    said = live.start().refused()
    assert said.endswith("or carry the state over with --accept-changes\n  shards: 4 → 6")
    run = live.start("--accept-changes")
    live.feed.refresh()
    live.feed.publish(300)
    wanted = sum(map(len, live.feed.said.values()))
    topics = live.until(lambda topics: sum(map(len, topics.journal.values())) >= wanted, run)
    assert topics.journal.keys() > {f"{candles}-{number}" for number in range(4)}
    assert run.end() == 0
