from __future__ import annotations

import pytest
from confluent_kafka import Producer

from schemas.candle import Candle
from schemas.wire import wire
from sinks.kafka.recording import SETTINGS, Recording, RecordingError
from tests.kafka.topics import QUIET, new_topic, raw


class Clock:
    """Time goes on by a tenth of a second whenever somebody looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.1
        return self.now


def candle(minute: int) -> Candle:
    return wire(Candle)(
        symbol="BTC/USDT", timeframe="1m", ts=60_000 * minute, open=1.0, high=1.0, low=1.0, close=1.0, volume=0.0
    )


def test_candles_are_paced_by_their_own_times(kafka: str) -> None:
    clock = Clock()
    producer = Producer({**SETTINGS, "bootstrap.servers": kafka}, logger=QUIET)
    recording = Recording(producer, new_topic(kafka), clock)
    assert recording.publish([candle(5), candle(6), candle(9)], speed=600.0) == 3
    assert 0.4 <= clock.now - 0.1 < 0.9  # four minutes, 600 times as fast


def test_a_message_has_the_time_of_publishing_so_that_an_old_recording_is_kept(kafka: str) -> None:
    topic = new_topic(kafka)
    Recording(Producer({**SETTINGS, "bootstrap.servers": kafka}, logger=QUIET), topic).publish([candle(1)])
    (message,) = raw(kafka, topic)
    assert message.timestamp()[1] > 1_600_000_000_000


def test_what_the_broker_does_not_take_is_an_error_with_what_it_took() -> None:
    settings = {**SETTINGS, "bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 500}
    recording = Recording(Producer(settings, logger=QUIET), "candles")
    with pytest.raises(RecordingError, match=r"^candles: 0 delivered, then: Local: Message timed out; "):
        recording.publish([candle(1)])
