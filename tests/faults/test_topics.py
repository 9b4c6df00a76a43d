"""Topics whose records are gone, that were made anew, or that have other partitions than before."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions, NewTopic

from tests.faults.live import Live, Run


def done(asked: dict[Any, Future[Any]]) -> None:
    for future in asked.values():
        future.result()


def at_rest(live: Live, instants: int, *given: str) -> Run:
    live.feed.publish(instants)
    run = live.start(*given)
    live.until_said_all(run)
    assert run.end() == 0
    return run


def make_anew(live: Live, topic: str, partitions: int) -> None:
    name = live.kafka.topic(topic)
    done(live.admin.admin.delete_topics([name]))
    while name in live.admin.names():
        pass
    done(live.admin.admin.create_topics([NewTopic(name, partitions, 1)]))


def test_candles_that_aged_out_before_they_were_read(live: Live) -> None:
    at_rest(live, 300)
    live.feed.publish(300)
    candles = live.kafka.topic("candles")
    low = live.feed.ends[f"{candles}-0"] - 100
    done(live.admin.admin.delete_records([TopicPartition(candles, 0, low)]))
    for processes in ("1", "2"):
        said = live.start("--processes", processes).refused()
        assert f"penstock: {candles}-0: candles from offset" in said
        assert f"but the broker has {low} to" in said
        assert "begin as somebody else, with another kafka.deployment; kafka.start says where it begins" in said
    as_other = ("--state", "other", "--set", "kafka.deployment=other", "--set", "kafka.start=end")
    said = live.start(*as_other).refused()
    assert said.endswith("give the portfolio of this one another portfolio.name")
    run = live.start(*as_other, "--set", "portfolio.name=other")
    run.until_said("state in other")
    assert run.end() == 0


def test_a_journal_that_was_made_anew_ends_the_run(live: Live) -> None:
    at_rest(live, 100)
    make_anew(live, "journal", 1)
    live.feed.publish(100)
    said = live.start().refused()
    assert f"penstock: {live.kafka.topic('journal')}-0: entries of the journal from offset" in said
    assert "the topic was made anew" in said


def test_a_missing_topic_is_named(live: Live) -> None:
    name = live.kafka.topic("fills")
    done(live.admin.admin.delete_topics([name]))
    said = live.start().refused()
    assert said == f"penstock: Kafka at {live.address} lacks {name}: penstock topics create"


def test_too_few_partitions_are_told_and_do(live: Live) -> None:
    make_anew(live, "candles", 2)
    run = live.start()
    run.until_said(f"{live.kafka.topic('candles')} has 2 partitions, fewer than usual: see `penstock topics check`")
    live.finish(run, journal=False)
    assert run.end() == 0


def test_partitions_that_are_added_are_told_and_read_when_that_is_accepted(install: Install, kafka: str) -> None:
    live = install(kafka, "  client: {statistics.interval.ms: 100, topic.metadata.refresh.interval.ms: 100}\n")
    live.feed.publish(300)
    run = live.start()
    candles = live.kafka.topic("candles")
    done(live.admin.admin.create_partitions([NewPartitions(candles, 6)]))
    run.until_said(f"{candles} has 6 partitions now: restart to read the new ones")
    live.until_said_all(run)
    assert run.end() == 0
    said = live.start().refused()
    assert said.endswith("or carry the state over with --accept-changes\n  partitions.candles: 4 → 6")
    run = live.start("--accept-changes")
    published = publish_to_all(live, 300)
    live.until(lambda topics: sum(map(len, topics.journal.values())) >= published, run)
    assert run.end() == 0
