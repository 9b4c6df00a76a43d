from __future__ import annotations

import json
import pickle
from typing import Any
from uuid import uuid5

import pytest
from bytewax.dataflow import Dataflow
from bytewax.operators import input as op_input
from bytewax.operators import output
from bytewax.testing import TestingSource, run_main
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.ids import NAMESPACE
from schemas.metric import Metric
from schemas.topics import TOPICS
from schemas.trace import OF_A_CANDLE, span_id, trace_id
from schemas.wire import wire
from sinks.kafka.messages import FACTS, message, message_id
from sinks.kafka.sink import KafkaSink
from tests.kafka.topics import QUIET, raw
from tests.schemas.examples import EXAMPLES

MetricRow = wire(Metric)


def metric(number: int, value: float = 1.0) -> Any:
    return MetricRow(ts=number, name="n", value=value, labels={})


@pytest.fixture
def sink(kafka: str, request: pytest.FixtureRequest) -> KafkaSink:
    admin = AdminClient({"bootstrap.servers": kafka})
    missing = {"metrics", "alerts"} - set(admin.list_topics(timeout=10).topics)
    for future in admin.create_topics([NewTopic(name, 1, 1) for name in missing]).values() if missing else ():
        future.result()
    deployment = str(uuid5(NAMESPACE, f"{request.node.name}{id(request)}"))
    client = {"bootstrap.servers": kafka}
    return KafkaSink(client, deployment, "main", ["shard"], ["metrics"], QUIET)


def ours(kafka: str, sink: KafkaSink, topic: str) -> list[Any]:
    part = f"{sink.deployment}.shard".encode()
    return [json.loads(m.value()) for m in raw(kafka, topic) if dict(m.headers())["part"] == part]


def test_a_dataflow_publishes_its_outboxes(kafka: str, sink: KafkaSink) -> None:
    flow = Dataflow("test")
    outboxes = [("shard", {"metrics": [metric(n)]}) for n in range(5)]
    output("out", op_input("in", flow, TestingSource(outboxes)), sink)
    run_main(flow)  # type: ignore[no-untyped-call]
    assert [row["ts"] for row in ours(kafka, sink, "metrics")] == [0, 1, 2, 3, 4]


def test_a_part_goes_on_from_its_small_snapshot(kafka: str, sink: KafkaSink) -> None:
    first = sink.build_part("out", "shard", None)
    first.write_batch([{"metrics": [metric(1)]}])
    state = pickle.dumps(first.snapshot())
    assert len(state) < 100
    first.write_batch([{"metrics": [metric(2)]}])
    second = sink.build_part("out", "shard", pickle.loads(state))
    second.write_batch([{"metrics": [metric(2), metric(3)]}])
    assert [row["ts"] for row in ours(kafka, sink, "metrics")] == [1, 2, 3]


def test_a_record_that_came_out_differently_becomes_a_critical_alert(kafka: str, sink: KafkaSink) -> None:
    sink.build_part("out", "shard", None).write_batch([{"metrics": [metric(1, 1.0)]}])
    sink.build_part("out", "shard", None).write_batch([{"metrics": [metric(1, 2.0)]}])
    assert [row["value"] for row in ours(kafka, sink, "metrics")] == [1.0]
    (alert,) = ours(kafka, sink, "alerts")
    assert (alert["code"], alert["level"], alert["ts"]) == ("OUTPUT_DIVERGED", "critical", 1)
    figures = {"part": "shard", "topic": "metrics", "id": message_id("metrics", metric(1))}
    assert alert["figures"] == figures


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
