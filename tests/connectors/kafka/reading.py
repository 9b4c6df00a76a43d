"""Putting messages on a topic, and reading a part as Bytewax would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event
from typing import Any

from confluent_kafka import Producer

from connectors.kafka.candle_source import CandleReader
from connectors.kafka.journal_source import JournalReader
from schemas.batch import CandleBatch
from tests.kafka.topics import QUIET

Row = tuple[str, int, int]


def produce(
    address: str, topic: str, values: Sequence[bytes | None], partition: int = 0, key: str | None = None
) -> None:
    producer = Producer({"bootstrap.servers": address}, logger=QUIET)
    failed: list[Any] = []

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            failed.append(error)

    for value in values:
        while True:
            try:
                producer.produce(topic, value, key, partition=partition, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0
    assert failed == []


def transaction(producer: Producer, topic: str, value: bytes, *, commit: bool = True) -> None:
    producer.begin_transaction()
    producer.produce(topic, value)
    assert producer.flush(30) == 0  # an abort would drop what has not been sent
    if commit:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


def until(part: CandleReader, done: Callable[[list[CandleBatch]], bool]) -> list[CandleBatch]:
    """The batches until that is true; the consumer waits for the broker in between."""
    found: list[CandleBatch] = []
    while not done(found):
        got = [item for _, item in part.next_batch()]
        found += [item for item in got if isinstance(item, CandleBatch)]
        if not got:
            wait(part)
    return found


def wait(part: CandleReader | JournalReader) -> None:
    """Wait as long as Bytewax would."""
    awake = part.next_awake()
    assert awake is not None
    Event().wait(max(0.0, (awake - datetime.now(UTC)).total_seconds()))


def take(part: CandleReader, count: int) -> list[CandleBatch]:
    """Batches with that many messages, whether they are rows or not."""
    return until(part, lambda found: sum(len(batch) + len(batch.refused) for batch in found) >= count)


def rows(batches: Sequence[CandleBatch]) -> list[Row]:
    return [
        (batch.symbols[slot], ts, at)
        for batch in batches
        for slot, ts, at in zip(batch.slot.tolist(), batch.ts.tolist(), batch.position.tolist(), strict=True)
    ]
