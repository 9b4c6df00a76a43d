from __future__ import annotations

import json
import pickle
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import uuid4, uuid5

import numpy as np
import pytest
from bytewax.dataflow import Dataflow
from bytewax.operators import input as op_input
from bytewax.operators import output
from bytewax.testing import TestingSource, run_main
from confluent_kafka import Producer

from schemas.ids import NAMESPACE, event_id
from schemas.metric import Metric
from schemas.slices import Slices, notice
from schemas.topics import TOPICS
from schemas.trace import OF_A_CANDLE, span_id, trace_id
from schemas.wire import wire
from sinks.kafka.messages import FACTS, message, message_id
from sinks.kafka.sink import KafkaSink
from tests.flows.portfolio.stories import at, flat, slices
from tests.kafka.topics import QUIET, new_topic, raw
from tests.schemas.examples import EXAMPLES

MetricRow = wire(Metric)


def metric(number: int, value: float = 1.0) -> Any:
    return MetricRow(ts=number, name="n", value=value, labels={})


@pytest.fixture
def sink(kafka: str) -> KafkaSink:
    prefix = f"{uuid4()}."
    for name in ("metrics", "journal", "alerts"):
        new_topic(kafka, name=prefix + name)
    client = {"bootstrap.servers": kafka}
    parts = ["portfolio-main", "shard", "third"]
    return KafkaSink(client, prefix[:-1], "main", parts, ["metrics", "journal"], QUIET, prefix)


def ours(kafka: str, sink: KafkaSink, topic: str) -> list[Any]:
    return [json.loads(message.value()) for message in raw(kafka, sink.prefix + topic)]


def test_a_dataflow_publishes_its_outboxes(kafka: str, sink: KafkaSink) -> None:
    flow = Dataflow("test")
    outboxes = [("shard", {"metrics": [metric(n)]}) for n in range(5)]
    output("out", op_input("in", flow, TestingSource(outboxes)), sink)
    counts = Counter[str]()
    sink.on_published = counts.update
    run_main(flow)  # type: ignore[no-untyped-call]
    assert [row["ts"] for row in ours(kafka, sink, "metrics")] == [0, 1, 2, 3, 4]
    assert counts == {"metrics": 5}


def candles(begin: int, end: int) -> Slices:
    """What the shard says of the minutes from ``begin`` on, before ``end``; its positions are the minutes."""
    told = slices(flat(range(begin, end), 10.0), shard="shard", watermark=at(end - 1))
    return replace(told, position=np.arange(begin, end), upto=end)


def test_the_journal_has_each_row_once_however_a_restart_cuts_them(kafka: str, sink: KafkaSink) -> None:
    first = sink.build_part("out", "shard", None)
    first.write_batch([{"journal": [candles(0, 3)]}])
    state = first.snapshot()
    first.write_batch([{"journal": [candles(3, 5)]}, {"journal": [candles(5, 8)]}])
    first.close()
    for cuts in ([(2, 4), (4, 7), (7, 10)], [(3, 12)]):
        part = sink.build_part("out", "shard", state)
        part.write_batch([{"journal": [candles(begin, end)]} for begin, end in cuts])
        part.close()
    entries = ours(kafka, sink, "journal")
    assert [(entry["position"], entry["upto"], entry["watermark"]) for entry in entries] == [
        ([0, 1, 2], 3, at(2)),
        ([3, 4], 5, at(4)),
        ([5, 6, 7], 8, at(7)),
        ([8, 9], 10, at(9)),
        ([10, 11], 12, at(11)),
    ]


def test_a_time_out_goes_to_the_journal_once_even_if_a_clock_waited_longer(kafka: str, sink: KafkaSink) -> None:
    for waited in (5_000, 6_000):
        part = sink.build_part("out", "portfolio-main", None)
        part.write_batch([{"journal": [notice("shard", ["shard"], 3, at(2), "timeout", waited)]}])
        part.close()
    assert [(entry["cause"], entry["waited_ms"]) for entry in ours(kafka, sink, "journal")] == [("timeout", 5_000)]
    assert ours(kafka, sink, "alerts") == []


def test_what_is_never_computed_again_is_told_at_the_third_snapshot(kafka: str, sink: KafkaSink) -> None:
    told: list[str] = []
    sink.on_trouble = told.append
    first = sink.build_part("out", "shard", None)
    first.write_batch([{"metrics": [metric(1), metric(2)]}])
    first.close()
    second = sink.build_part("out", "shard", None)
    for number in (1, 3, 4, 5):
        second.write_batch([{"metrics": [metric(number)]}])
        second.snapshot()
    (one,) = told
    assert one.startswith("shard: 1 records were published before the restart, but have not been computed again")
    assert message_id("metrics", metric(2)) in one


def test_parts_that_died_in_transactions_on_one_topic_open_without_waiting_for_time_outs(
    kafka: str, sink: KafkaSink
) -> None:
    for name in sink.parts:
        part = sink.build_part("out", name, None)
        part.write_batch([{"metrics": [metric(1)]}])
        part.snapshot()
    dead = []
    for name in sink.parts:
        # An hour would be longer than the broker allows. The first to open would wait for the others for so long.
        client = {**sink.client, "transactional.id": f"{sink.deployment}.{name}", "transaction.timeout.ms": 600_000}
        dead.append(Producer(client, logger=QUIET))
        dead[-1].init_transactions(30)
        dead[-1].begin_transaction()
        dead[-1].produce(sink.prefix + "metrics", b"{}", headers=[("id", b""), ("part", b"")])
        dead[-1].flush(30)
    parts = [sink.build_part("out", name, None) for name in sink.parts]
    for part in parts:
        part.write_batch([{"metrics": [metric(1), metric(2)]}])
    for part in parts:
        part.snapshot()
    assert sorted(row["ts"] for row in ours(kafka, sink, "metrics")) == [1, 1, 1, 2, 2, 2]


def test_a_part_goes_on_from_its_small_snapshot(kafka: str, sink: KafkaSink) -> None:
    first = sink.build_part("out", "shard", None)
    first.write_batch([{"metrics": [metric(1)]}])
    state = pickle.dumps(first.snapshot())
    assert len(state) < 200
    first.write_batch([{"metrics": [metric(2)]}])
    first.close()
    second = sink.build_part("out", "shard", pickle.loads(state))
    second.write_batch([{"metrics": [metric(2), metric(3)]}])
    second.snapshot()
    assert [row["ts"] for row in ours(kafka, sink, "metrics")] == [1, 2, 3]


def test_a_record_that_came_out_differently_becomes_a_critical_alert(kafka: str, sink: KafkaSink) -> None:
    for value in (1.0, 2.0):
        part = sink.build_part("out", "shard", None)
        part.write_batch([{"metrics": [metric(1, value)]}])
        part.close()
    assert [row["value"] for row in ours(kafka, sink, "metrics")] == [1.0]
    (alert,) = ours(kafka, sink, "alerts")
    assert (alert["code"], alert["level"], alert["ts"]) == ("OUTPUT_DIVERGED", "critical", 1)
    figures = {"part": "shard", "topic": "metrics", "id": message_id("metrics", metric(1))}
    assert alert["figures"] == figures


def test_the_alarm_goes_with_the_alert_once_however_often_it_is_found(kafka: str, sink: KafkaSink) -> None:
    new_topic(kafka, name=sink.prefix + "commands")
    sink.alarms, sink.clock = True, lambda: 12.5
    for value in (1.0, 2.0, 2.0):
        part = sink.build_part("out", "shard", None)
        part.write_batch([{"metrics": [metric(1, value)]}])
        part.close()
        sink.clock = lambda: 99.0
    assert len(ours(kafka, sink, "alerts")) == 1
    (command,) = raw(kafka, sink.prefix + "commands")
    id_ = message_id("metrics", metric(1))
    assert (command.key(), json.loads(command.value() or b"")) == (
        b"main",
        {
            "id": event_id("OUTPUT_DIVERGED", "shard", "metrics", id_, "alarm"),
            "ts": 99_000,
            "portfolio": "main",
            "sender": "sink",
            "name": "alarm",
            "arguments": {"what": f"OUTPUT_DIVERGED metrics {id_}"},
        },
    )


def test_the_id_of_a_record_without_one_is_the_uuid5_of_its_facts() -> None:
    record = {"ts": 60_000, "name": "n", "value": 1.0, "labels": {"b": "2", "a": "1"}}
    assert message_id("metrics", record) == str(uuid5(NAMESPACE, "metrics|n|a=1,b=2|60000"))


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_every_record_has_what_its_id_is_made_of(topic: Any) -> None:
    assert set(FACTS.get(topic.name, ("id",))) <= set(topic.record.model_fields)


def test_a_message_is_keyed_as_its_topic_says_and_names_its_schema() -> None:
    one = message("metrics", metric(1), "main")
    assert (one.key, one.schema, one.value) == ("n", "Metric/1", b'{"ts":1,"name":"n","value":1.0,"labels":{}}')


@pytest.mark.parametrize("topic", TOPICS)
def test_a_message_has_the_trace_of_the_candle_that_its_record_was_made_at(topic: str) -> None:
    made = message(topic, EXAMPLES[topic], "main")
    version, trace, span, flags = made.traceparent.split("-")
    assert (version, span, flags) == ("00", span_id(topic, made.id), "01")
    example = EXAMPLES[topic]
    assert (trace == trace_id(str(example.get("symbol")), example.get("ts", 0))) == (topic in OF_A_CANDLE)


def test_a_topic_that_is_not_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no topic nonsense: they are candles"):
        message("nonsense", metric(1), "main")
