"""The figures of the real source, on a real broker."""

from __future__ import annotations

from connectors.kafka.candle_source import CandleTopicSource
from connectors.kafka.feed import SourceHooks
from connectors.kafka.lags import Lags
from sinks.vitals.vitals import Vitals
from tests.connectors.kafka.messages import message
from tests.connectors.kafka.reading import produce, take
from tests.kafka.topics import new_topic
from tests.sinks.vitals.scraping import of


def test_records_in_lag_and_epochs_of_a_topic_that_is_read(kafka: str) -> None:
    topic, lags = new_topic(kafka), Lags()
    vitals = Vitals("1", lags=lags)
    hooks = SourceHooks(vitals.on_rows, vitals.on_durable, vitals.on_trouble, vitals.on_partitions, lags)
    source = CandleTopicSource({"bootstrap.servers": kafka}, f"group-{topic}", topic, batch_rows=4, hooks=hooks)
    produce(kafka, topic, [message(minute) for minute in range(1, 8)])
    reader = source.build_part("in", f"{topic}-0", None)
    place = f'{{partition="0",topic="{topic}"}}'
    try:
        take(reader, 4)
        left = 7 - reader.snapshot().upto
        assert of("penstock_consumer_lag", vitals.exposition()) == {f"penstock_consumer_lag{place}": left}
        for _ in range(2):
            reader.snapshot()
            reader.next_batch()
        if (left := 7 - reader.snapshot().upto) > 0:
            take(reader, left)
        assert of("penstock_consumer_lag", vitals.exposition()) == {f"penstock_consumer_lag{place}": 0}
    finally:
        reader.close()
    text = vitals.exposition()
    assert of("penstock_consumer_lag", text) == {}
    assert of("penstock_records_in", text) == {f"penstock_records_in_total{place}": 7}
    assert of("penstock_epoch_seconds_count", text) == {"penstock_epoch_seconds_count": 1}
    assert of("penstock_troubles", text) == {}
