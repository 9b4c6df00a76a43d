from __future__ import annotations

from confluent_kafka import Producer

from connectors.kafka.candle_topic import Known
from connectors.kafka.feed import Feed
from connectors.kafka.stretch import Stretch, feed_of, read, stretches
from connectors.kafka.stretch_source import CandleMaker
from connectors.kafka.survey import Collected, Survey, survey_candles
from schemas.window import Window
from tests.connectors.kafka.messages import MINUTE, message
from tests.connectors.kafka.reading import produce
from tests.kafka.topics import QUIET, new_topic

# Offset by offset: what is no candle lies before, among and behind the candles of each window below.
MESSAGES = [
    b"bad 0",
    message(1),
    message(2),
    b"bad 3",
    message(3),
    message(3, "ETH/USDT"),
    message(2, "ETH/USDT"),  # late: outside of a window from minute 2 on, though it lies among its candles
    message(4),
    b"bad 8",
    message(5),
    b"bad 10",
]


def there(address: str) -> tuple[Feed, Stretch]:
    topic = new_topic(address)
    produce(address, topic, MESSAGES)
    feed = feed_of({"bootstrap.servers": address}, "test", topic, lambda *_: None)
    return feed, stretches(feed)[0]


def surveyed(feed: Feed, stretch: Stretch, window: Window) -> tuple[Survey, dict[str, list[int]]]:
    collected = Collected()
    survey = survey_candles(feed, stretch, window, collected)
    return survey, {symbol: (one.ts // MINUTE).tolist() for symbol, one in collected.series().items()}


def replayed(feed: Feed, survey: Survey, window: Window) -> tuple[list[tuple[str, int]], list[int]]:
    """Symbol and minute of the rows, and the offsets of the refused, with a batch for each message."""
    rows, refused = [], []
    known: Known | None = None
    for messages in read(feed, survey.stretch):
        for one in messages:
            make = CandleMaker(survey.stretch, window, known)
            ((_, batch),) = make([one], False).items
            known = make.state
            rows += [
                (batch.symbols[slot], ts // MINUTE) for slot, ts in zip(batch.slot, batch.ts.tolist(), strict=True)
            ]
            refused += [one.position for one in batch.refused]
    return rows, refused


def test_without_a_window_all_that_is_there_is_replayed(kafka: str) -> None:
    feed, stretch = there(kafka)
    survey, series = surveyed(feed, stretch, Window())
    assert survey == Survey(stretch, 11, {"BTC/USDT": MINUTE, "ETH/USDT": MINUTE})
    assert series == {"BTC/USDT": [1, 2, 3, 4, 5], "ETH/USDT": [3, 2]}
    assert replayed(feed, survey, Window())[1] == [0, 3, 8, 10]


def test_a_window_goes_from_its_first_candle_to_its_last_with_what_is_none_between_them(kafka: str) -> None:
    feed, stretch = there(kafka)
    window = Window(2 * MINUTE, 4 * MINUTE)
    survey, series = surveyed(feed, stretch, window)
    assert (survey.stretch.begin, survey.stretch.end, survey.rows) == (4, 8, 4)
    assert series == {"BTC/USDT": [3, 4], "ETH/USDT": [3]}
    rows, refused = replayed(feed, survey, window)
    assert (rows, refused) == ([("BTC/USDT", 3), ("ETH/USDT", 3), ("BTC/USDT", 4)], [])


def test_half_a_window_goes_on_to_the_end_that_is_there(kafka: str) -> None:
    feed, stretch = there(kafka)
    since, _ = surveyed(feed, stretch, Window(since=3 * MINUTE))
    until, _ = surveyed(feed, stretch, Window(until=2 * MINUTE))
    assert (since.stretch.begin, since.stretch.end) == (7, 11)
    assert replayed(feed, since, Window(since=3 * MINUTE)) == ([("BTC/USDT", 4), ("BTC/USDT", 5)], [8, 10])
    assert (until.stretch.begin, until.stretch.end) == (0, 7)
    assert replayed(feed, until, Window(until=2 * MINUTE))[1] == [0, 3]


def test_a_partition_without_a_candle_of_the_window_is_not_read(kafka: str) -> None:
    feed, stretch = there(kafka)
    for window in (Window(since=9 * MINUTE), Window(until=0), Window(9 * MINUTE, 10 * MINUTE)):
        survey, series = surveyed(feed, stretch, window)
        assert survey.stretch.begin == survey.stretch.end
        assert (survey.rows, survey.timeframes, {symbol for symbol, rows in series.items() if rows}) == (0, {}, set())


def test_a_candle_from_the_future_is_no_candle_of_the_replay(kafka: str) -> None:
    topic, producer = new_topic(kafka), Producer({"bootstrap.servers": kafka}, logger=QUIET)
    for minute in (1, 9, 2):
        producer.produce(topic, message(minute), timestamp=MINUTE)
    assert producer.flush(60) == 0
    feed = feed_of({"bootstrap.servers": kafka}, "test", topic, lambda *_: None)
    survey, series = surveyed(feed, stretches(feed)[0], Window())
    assert series == {"BTC/USDT": [1, 2]}
    assert replayed(feed, survey, Window()) == ([("BTC/USDT", 1), ("BTC/USDT", 2)], [1])


def test_what_was_surveyed_in_a_window_is_the_same_when_only_that_is_read_again(kafka: str) -> None:
    feed, stretch = there(kafka)
    window = Window(2 * MINUTE, 4 * MINUTE)
    survey, series = surveyed(feed, stretch, window)
    assert surveyed(feed, survey.stretch, window) == (survey, series)
