"""The figures of the real source, on a real broker."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.candle_source import CandleTopicSource, SourceHooks
from sinks.vitals.vitals import Vitals
from tests.connectors.kafka.messages import message
from tests.connectors.kafka.reading import produce, take
from tests.kafka.topics import QUIET, new_topic
from tests.sinks.vitals.scraping import lag, of


def test_records_in_lag_and_epochs_of_a_topic_that_is_read(kafka: str) -> None:
    topic = new_topic(kafka)
    asking = Consumer({"bootstrap.servers": kafka, "group.id": topic}, logger=QUIET)

    def ends() -> Mapping[str, int]:
        return {f"{topic}-0": asking.get_watermark_offsets(TopicPartition(topic, 0), 10)[1]}

    vitals = Vitals("1", ends=ends)
    hooks = SourceHooks(vitals.on_rows, vitals.on_durable, vitals.on_trouble, vitals.on_partitions)
    source = CandleTopicSource({"bootstrap.servers": kafka}, f"group-{topic}", topic, batch_rows=4, hooks=hooks)
    produce(kafka, topic, [message(minute) for minute in range(1, 8)])
    reader = source.build_part("in", f"{topic}-0", None)
    try:
        read = len(take(reader, 4)[0])
        for _ in range(2):
            reader.snapshot()
            reader.next_batch()
        if reader.offset < 7:
            take(reader, 7 - reader.offset)
    finally:
        reader.close()
    produce(kafka, topic, [message(minute) for minute in range(8, 13)])
    behind, text = lag(vitals), vitals.exposition()
    place = f'{{partition="0",topic="{topic}"}}'
    assert read == 4
    assert of("penstock_records_in", text) == {f"penstock_records_in_total{place}": 7}
    assert behind == {f"penstock_consumer_lag{place}": 5}
    assert of("penstock_epoch_seconds_count", text) == {"penstock_epoch_seconds_count": 1}
    assert of("penstock_troubles", text) == {}
    asking.close()


def test_a_broker_that_is_gone_leaves_the_lag_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        asking = Consumer({"bootstrap.servers": f"127.0.0.1:{silent.getsockname()[1]}", "group.id": "x"}, logger=QUIET)
        vitals = Vitals("1", ends=lambda: {"t-0": asking.get_watermark_offsets(TopicPartition("t", 0), 60)[1]})
        vitals.on_rows("t-0", 5)
        text = vitals.exposition()
        assert of("penstock_consumer_lag", text) == {}
        assert of("penstock_records_in", text) == {'penstock_records_in_total{partition="0",topic="t"}': 0}
