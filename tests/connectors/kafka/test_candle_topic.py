from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.kafka.candle_topic import CandleTopic, Known
from schemas.batch import CandleBatch
from schemas.deadletter import header_of
from tests.connectors.kafka.messages import GOOD, message


@dataclass
class Sent:
    raw: bytes | None
    at: int
    heads: list[tuple[str, bytes | None]] | None = None
    name: bytes | None = None

    def value(self) -> bytes | None:
        return self.raw

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.name

    def headers(self) -> Any:
        return self.heads

    def timestamp(self) -> tuple[int, int]:
        return 1, 7_000_000 + self.at


def sent(*values: bytes | None, first: int = 0) -> list[Sent]:
    return [Sent(value, first + number) for number, value in enumerate(values)]


def rows(batch: CandleBatch) -> list[tuple[str, int, int]]:
    names = [batch.symbols[slot] for slot in batch.slot.tolist()]
    return list(zip(names, batch.ts.tolist(), batch.position.tolist(), strict=True))


def refused(batch: CandleBatch) -> list[tuple[int, bytes | None, str, str]]:
    return [(one.position, one.raw, one.reason, one.error) for one in batch.refused]


def test_what_closes_too_far_behind_the_timestamp_of_its_message_is_no_row_and_gives_no_slot() -> None:
    topic = CandleTopic("candles", 0, max_ahead_ms=5_000)
    messages = sent(message(116, "NEW"), message(117, "NEW"), message(117, "NEW", close="x"), GOOD, message(118))
    batch = topic.batch(messages)
    assert rows(batch) == [("NEW", 6_960_000, 0), ("BTC/USDT", 60_000, 3)]
    ahead = "ts={} ahead_ms={} max_ahead_ms=5000"
    assert [(one.position, one.reason, one.error[:60]) for one in batch.refused] == [
        (1, "TIME_AHEAD", "symbol=NEW " + ahead.format(7_020_000, 19_999)),
        (2, "MESSAGE_INVALID", "close: Input should be a valid number, unable to parse strin"),
        (4, "TIME_AHEAD", "symbol=BTC/USDT " + ahead.format(7_080_000, 79_996)),
    ]
    assert batch.refused[0].figures == {"ts": 7_020_000, "ahead_ms": 19_999, "max_ahead_ms": 5_000}
    assert len(CandleTopic("candles", 0).batch(sent(message(117, "X" * 65))).refused) == 1


def test_symbols_get_slots_as_they_appear_and_keep_them() -> None:
    topic = CandleTopic("candles", 2)
    one = topic.batch(sent(message(1, "B"), message(1, "A", timeframe="5m"), message(2, "B")))
    two = topic.batch(sent(message(1, "C"), message(5, "A", timeframe="5m"), first=7))
    assert (one.shard, one.topic, one.partition, one.final) == ("candles-2", "candles", 2, False)
    assert (one.symbols, two.symbols) == (("B", "A"), ("B", "A", "C"))
    assert (one.slot.tolist(), two.slot.tolist()) == ([0, 1, 0], [2, 1])
    assert two.timeframes.tolist() == [60_000, 300_000, 60_000]
    assert two.sources == ("candles", "candles", "candles")
    assert rows(two) == [("C", 60_000, 7), ("A", 300_000, 8)]


def test_the_table_goes_on_from_its_state() -> None:
    topic = CandleTopic("candles", 0)
    topic.batch(sent(message(1, "B"), message(1, "A", timeframe="1h")))
    again = CandleTopic("candles", 0, pickle.loads(pickle.dumps(topic.known)))
    batch = again.batch(sent(message(2, "C"), message(2, "A", timeframe="1h"), message(2, "B"), first=2))
    assert (batch.symbols, batch.slot.tolist()) == (("B", "A", "C"), [2, 1, 0])


def test_the_table_does_not_change_what_was_handed_over() -> None:
    topic = CandleTopic("candles", 0)
    one, known = topic.batch(sent(message(1, "B"))), topic.known
    topic.batch(sent(message(1, "A")))
    assert (one.symbols, one.timeframes.tolist(), known) == (("B",), [60_000], Known(("B",), ("1m",)))


@pytest.mark.parametrize("others", [(), ("1h",)])
def test_another_timeframe_of_a_known_symbol_is_refused(others: tuple[str, ...]) -> None:
    topic = CandleTopic("candles", 0)
    topic.batch(sent(message(1, "A"), *(message(1, "B", timeframe=other) for other in others)))
    wrong = message(5, "A", timeframe="5m")
    batch = topic.batch(sent(message(2, "A"), wrong, message(3, "A"), first=10))
    assert rows(batch) == [("A", 120_000, 10), ("A", 180_000, 12)]
    assert refused(batch) == [(11, wrong, "TIMEFRAME_CHANGED", "timeframe='5m' known='1m'")]
    assert batch.refused[0].symbol == "A"


def test_two_timeframes_of_a_new_symbol_in_one_batch_leave_it_the_first() -> None:
    batch = CandleTopic("candles", 0).batch(sent(message(1), message(5, timeframe="5m"), message(2)))
    assert [at for _, _, at in rows(batch)] == [0, 2]
    assert [(one.position, one.reason) for one in batch.refused] == [(1, "TIMEFRAME_CHANGED")]


def test_a_timeframe_that_has_no_length_is_refused() -> None:
    wrong = message(1, timeframe="1M")
    batch = CandleTopic("candles", 0).batch(sent(wrong, GOOD))
    assert batch.symbols == ("BTC/USDT",)
    ((position, raw, reason, error),) = refused(batch)
    assert (position, raw, reason) == (0, wrong, "TIMEFRAME_UNKNOWN")
    assert error.startswith("'1M' is no length of time: write a count")


@pytest.mark.parametrize("changes", [{"symbol": ""}, {"symbol": "x" * 65}, {"symbol": "new", "high": 1.0}])
def test_a_broken_candle_introduces_no_symbol(changes: dict[str, Any]) -> None:
    batch = CandleTopic("candles", 0).batch(sent(message(1, **changes)))
    assert (batch.symbols, len(batch)) == ((), 0)
    assert [one.reason for one in batch.refused] == ["MESSAGE_INVALID"]


def test_a_candle_of_a_known_symbol_with_wrong_values_is_left_to_the_market_stage_with_its_text() -> None:
    topic = CandleTopic("candles", 0)
    topic.batch(sent(GOOD))
    wrong = message(2, high=1.0)
    batch = topic.batch(sent(None, wrong, first=1))
    assert (rows(batch), batch.raw[0]) == ([("BTC/USDT", 120_000, 2)], wrong.decode())
    assert list(batch.raw) == [0]
    assert 1 not in batch.raw


HEADS: list[tuple[str, bytes | None]] = [("a", b"1"), ("a", None), ("b=", b"\xff\\xff="), ("ü", b"")]


def test_a_refusal_has_key_headers_and_bytes_as_they_came() -> None:
    batch = CandleTopic("candles", 0).batch([Sent(b"\xfe", 4, HEADS, b"\xfd"), Sent(None, 5)])
    first, second = batch.refused
    assert (first.position, first.raw, first.key) == (4, b"\xfe", r"\xfd")
    assert first.headers == ("a=1", "a", r"b\x3d=\xff\\xff=", "ü=")
    assert [header_of(text) for text in first.headers] == HEADS
    assert (second.position, second.raw, second.key, second.headers) == (5, None, None, ())


@pytest.mark.parametrize("again", [lambda batch: batch, lambda batch: pickle.loads(pickle.dumps(batch))])
def test_key_and_headers_of_a_row_can_be_asked_for_here_and_in_another_process(again: Any) -> None:
    messages = [Sent(None, 0), Sent(GOOD, 1, HEADS[:2], b"BTC/USDT"), Sent(message(2), 2)]
    heads = again(CandleTopic("candles", 0).batch(messages)).heads
    assert dict(heads) == {0: ("BTC/USDT", ("a=1", "a")), 1: (None, ())}
    assert 2 not in heads


def test_a_batch_can_be_sent_to_another_process() -> None:
    batch = pickle.loads(pickle.dumps(CandleTopic("candles", 1).batch(sent(GOOD, b"{"))))
    assert (rows(batch), batch.raw[0]) == ([("BTC/USDT", 60_000, 0)], GOOD.decode())
