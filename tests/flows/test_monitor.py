from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flows import monitor as module
from flows.monitor import AGAIN_S, AWAITED, Monitor
from schemas.batch import CandleBatch
from schemas.config.root import Config
from schemas.topics import TOPICS
from schemas.wire import wire
from tests.flows.portfolio.stories import at, flat, slices
from tests.schemas.examples import EXAMPLES

CONFIG = Config.model_validate({"strategies": [{"use": "sma_cross"}, {"use": "sma_atr", "mode": "shadow"}]})


class Clocks:
    """Both clocks of the monitor, in seconds."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def time(self) -> float:
        return self.now

    monotonic = time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(module, "time", clocks)
    return clocks


class Watched(Monitor):
    """A monitor, and what it said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        super().__init__(CONFIG, self.said.append, lambda name, **figures: self.events.append((name, figures)), 3)

    def figures(self, name: str) -> dict[str, float]:
        """By its labels, the series of a metric."""
        lines = [line for line in self.vitals.exposition().decode().splitlines() if line.startswith(name)]
        return {line.removeprefix(name).rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def batch(shard: str, arrived_ms: int | None) -> CandleBatch:
    none = np.empty(0)
    ints = np.empty(0, np.int64)
    columns = (np.empty(0, np.int32), ints, none, none, none, none, none, ints)
    return CandleBatch(shard, (), (), ints, *columns, arrived_ms=arrived_ms)


def record(topic: str, **fields: Any) -> Any:
    return wire(TOPICS[topic].record)(**{**EXAMPLES[topic], **fields})


def test_from_the_arrival_of_a_candle_to_the_commit_of_its_order(clock: Clocks) -> None:
    watched = Watched()
    watched.on_batch(batch("candles-0", 1_000_000))
    watched.on_outbox("candles-0", {"signals": [record("signals", id="s1"), record("signals", id="s2")]})
    watched.on_outbox("portfolio-main", {"orders": [record("orders", id="o1", signal_id="s1")]})
    clock.now = 1_000.25
    watched.on_published({"signals": 2})
    assert watched.figures("penstock_candle_to_order_seconds_count") == {"": 0.0}
    watched.on_published({"orders": 1})
    assert watched.figures("penstock_candle_to_order_seconds_count") == {"": 1.0}
    assert watched.figures("penstock_candle_to_order_seconds_sum") == {"": 0.25}
    watched.on_published({"orders": 5})  # of these nothing is known
    assert watched.figures("penstock_candle_to_order_seconds_count") == {"": 1.0}


def test_an_order_without_a_signal_or_of_one_from_before_the_start_is_not_timed(clock: Clocks) -> None:
    watched = Watched()
    watched.on_outbox("portfolio-main", {"orders": [record("orders", signal_id=None), record("orders", signal_id="x")]})
    watched.on_published({"orders": 2})
    assert watched.figures("penstock_candle_to_order_seconds_count") == {"": 0.0}


def test_candles_without_a_time_of_arrival_are_not_timed(clock: Clocks) -> None:
    watched = Watched()
    watched.on_batch(batch("candles-0", None))
    watched.on_outbox("candles-0", {"signals": [record("signals", id="s1")]})
    watched.on_outbox("portfolio-main", {"orders": [record("orders", signal_id="s1")]})
    watched.on_published({"orders": 1})
    assert watched.figures("penstock_candle_to_order_seconds_count") == {"": 0.0}


def test_signals_that_no_order_comes_of_are_not_remembered_for_ever(clock: Clocks) -> None:
    watched = Watched()
    watched.on_batch(batch("candles-0", 1_000_000))
    for number in range(AWAITED + 2):
        watched.on_outbox("candles-0", {"signals": [record("signals", id=f"s{number}")]})
    orders = [record("orders", signal_id=f"s{number}") for number in (0, 1, AWAITED + 1)]
    watched.on_outbox("portfolio-main", {"orders": orders})
    watched.on_published({"orders": 3})
    assert watched.figures("penstock_candle_to_order_seconds_count") == {"": 2.0}


def test_records_are_counted_by_topic_when_they_are_there(clock: Clocks) -> None:
    watched = Watched()
    watched.on_published({"orders": 2, "journal": 1})
    watched.on_published({"orders": 3})
    assert watched.figures("penstock_records_out_total") == {'{topic="journal"}': 1.0, '{topic="orders"}': 5.0}


def test_what_is_on_its_way_out_is_observed(clock: Clocks) -> None:
    watched = Watched()
    watched.on_outbox("candles-0", {"deadletters": [record("deadletters", reason="HIGH_BELOW_LOW")] * 2})
    assert watched.figures("penstock_dead_letters_total") == {'{reason="HIGH_BELOW_LOW"}': 2.0}


def test_a_person_hears_of_dead_letters_once_in_half_a_minute(clock: Clocks) -> None:
    watched = Watched()
    letter = record("deadletters", reason="ROW_LATE")
    watched.on_outbox("candles-0", {"deadletters": [letter] * 2})
    watched.on_outbox("candles-1", {"deadletters": [letter]})
    clock.now += AGAIN_S
    watched.on_outbox("candles-1", {"deadletters": [letter]})
    assert watched.said == [
        "candles-0: 2 inputs could not be used (ROW_LATE): see `penstock deadletters list`",
        "candles-1: 1 input could not be used (ROW_LATE): see `penstock deadletters list`",
    ]
    assert watched.events == []


def test_the_watermark_is_that_of_the_newest_candle(clock: Clocks) -> None:
    watched = Watched()
    clock.now = at(10) / 1_000
    said = slices([*flat((7,), 1.0), *flat((8,), 1.0)], shard="candles-1", watermark=-1)
    watched.on_outbox("candles-1", {"journal": [said]})
    watched.on_outbox("candles-2", {"journal": [slices([], shard="candles-2", watermark=-1)]})
    assert watched.vitals._watermarks == {"candles-1": at(8)}


def test_the_time_in_a_strategy_is_that_of_its_label(clock: Clocks) -> None:
    watched = Watched()
    assert watched.figures("penstock_strategy_seconds_total") == {
        '{strategy="sma_cross"}': 0.0,
        '{strategy="sma_atr"}': 0.0,
    }
    with watched.timing("strategy sma_cross"):
        pass
    with watched.timing("market"):
        pass
    found = watched.figures("penstock_strategy_seconds_total")
    assert found['{strategy="sma_cross"}'] == watched.timing.seconds["strategy sma_cross"] > 0
    assert found['{strategy="sma_atr"}'] == 0.0


def test_the_same_trouble_is_told_once_in_half_a_minute_and_counted_each_time(clock: Clocks) -> None:
    watched = Watched()
    watched.on_trouble("candles-0", "no broker")
    watched.on_trouble("candles-1", "no broker")  # one cause, told by all parts
    watched.on_trouble("candles-0", "lost")
    clock.now += AGAIN_S - 0.1
    watched.on_trouble("candles-0", "no broker")
    assert watched.said == ["candles-0: no broker", "candles-0: lost"]
    clock.now += 0.1
    watched.on_trouble("candles-1", "no broker")
    assert watched.said[2:] == ["candles-1: no broker"]
    assert [(name, figures["text"]) for name, figures in watched.events] == [
        ("trouble", "no broker"),
        ("trouble", "lost"),
        ("trouble", "no broker"),
    ]
    assert watched.figures("penstock_troubles_total") == {'{part="candles-0"}': 3.0, '{part="candles-1"}': 2.0}


def test_troubles_that_are_over_are_forgotten(clock: Clocks) -> None:
    watched = Watched()
    for number in range(1_000):
        watched.on_trouble("candles-0", f"offset {number}")
        clock.now += 1
    assert len(watched._told) <= AGAIN_S


def test_new_partitions_are_told_with_what_to_do(clock: Clocks) -> None:
    watched = Watched()
    watched.source.on_partitions("candles", 6)
    assert watched.said == ["candles has 6 partitions now: --accept-changes at the next start reads the new ones"]
    assert watched.events == [("partitions.added", {"process": 3, "topic": "candles", "partitions": 6})]


def test_what_the_source_tells_is_in_the_metrics(clock: Clocks) -> None:
    watched = Watched()
    watched.source.on_rows("candles-0", 5)
    watched.source.on_rows("candles-0", 12)
    watched.source.lags.add("candles-0", lambda: 4)
    place = '{partition="0",topic="candles"}'
    assert watched.figures("penstock_records_in_total") == {place: 7.0}
    assert watched.figures("penstock_consumer_lag") == {place: 4.0}


def test_a_checkpoint_of_many_parts_is_told_once(clock: Clocks) -> None:
    watched = Watched()
    watched.source.on_durable("candles-0", 5)
    watched.source.on_durable("candles-1", 6)
    assert watched.events == [("checkpoint.saved", {"process": 3, "part": "candles-0", "offset": 5})]


def test_what_ends_a_process_is_in_its_life(clock: Clocks) -> None:
    watched = Watched()
    watched.failed(ValueError("no"))
    assert watched.events == [("run.failed", {"process": 3, "error": "ValueError: no"})]
