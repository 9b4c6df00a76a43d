"""A question that fails, or never returns, costs a figure and nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

import pytest

from sinks.vitals.asked import Asked
from sinks.vitals.vitals import Vitals
from tests.sinks.vitals.scraping import Clock, lag, of


class Broker:
    """Says where the partitions end, or holds the question until it is released, or fails."""

    def __init__(self) -> None:
        self.asked, self.end, self.fails = 0, 0, False
        self.up = threading.Event()
        self.up.set()

    def ends(self) -> Mapping[str, int]:
        self.asked += 1
        self.up.wait(60)
        if self.fails:
            raise OSError("connection refused")
        return {"candles-0": self.end, "candles-1": 7, "of-another-process-2": 3}


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_lag_is_what_is_left_to_read_in_the_parts_of_this_process(broker: Broker) -> None:
    vitals = Vitals("1", ends=broker.ends)
    vitals.on_rows("candles-0", 30)
    vitals.on_rows("candles-1", 9)
    broker.end = 42
    assert lag(vitals) == {
        'penstock_consumer_lag{partition="0",topic="candles"}': 12,
        'penstock_consumer_lag{partition="1",topic="candles"}': 0,
    }


def test_the_broker_is_not_asked_more_often_than_every_few_seconds(broker: Broker) -> None:
    clock = Clock()
    asked = Asked(broker.ends, clock, patience_s=10)
    for seconds, end, expected in ((0, 1, 1), (4.9, 2, 1), (0.1, 3, 3)):
        clock.at += seconds
        broker.end = end
        newest = asked.newest()
        assert newest is not None
        assert newest["candles-0"] == expected
    assert broker.asked == 2


def test_a_broker_that_does_not_answer_is_asked_once_and_a_scrape_goes_on_without_it(broker: Broker) -> None:
    clock = Clock()
    vitals = Vitals("1", ends=broker.ends, clock=clock)
    vitals.on_rows("candles-0", 30)
    broker.end = 42
    assert list(lag(vitals).values()) == [12]
    broker.up.clear()
    clock.at += 20
    vitals.on_rows("candles-0", 40)
    assert list(of("penstock_consumer_lag", vitals.exposition()).values()) == [2]  # the last answer is young enough
    clock.at += 20
    text = vitals.exposition()
    assert of("penstock_consumer_lag", text) == {}
    assert list(of("penstock_commit_age", text).values()) == [40]
    assert broker.asked == 2
    broker.up.set()
    assert list(lag(vitals).values()) == [2]


def test_a_failing_question_gives_nothing_and_says_why_once(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    asked = Asked(broker.ends, clock, patience_s=10)
    broker.fails = True
    with caplog.at_level(logging.INFO, "penstock.vitals"):
        for _ in range(3):
            assert asked.newest() is None
            clock.at += 5
        assert [entry.getMessage() for entry in caplog.records] == ["a metric is not known for now: connection refused"]
        broker.fails = False
        assert asked.newest() is not None
        broker.fails = True
        clock.at += 31
        assert asked.newest() is None
    assert (broker.asked, len(caplog.records)) == (5, 2)
