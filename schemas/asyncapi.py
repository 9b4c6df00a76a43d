"""The topics as an AsyncAPI 3.0 document, with keys, partitions and retention in the Kafka bindings (0.5.0)."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from schemas.export import definitions
from schemas.record import Record
from schemas.topics import TOPICS, Topic

BINDINGS = "0.5.0"
_ACTIONS = {"in": ("receive",), "out": ("send",), "internal": ("send", "receive")}

Document = dict[str, Any]


def asyncapi() -> Document:
    """The document. Its point of view is Penstock's: it receives ``in`` topics and sends ``out`` topics.

    >>> document = asyncapi()
    >>> document["asyncapi"], document["channels"]["candles"]["bindings"]["kafka"]["partitions"]
    ('3.0.0', 4)
    >>> document["operations"]["receive_candles"]["channel"]
    {'$ref': '#/channels/candles'}
    """
    models = sorted({record for topic in TOPICS.values() for record in of(topic)}, key=lambda record: record.__name__)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Penstock",
            "version": version("penstock"),
            "description": "Market streams in, risk-checked orders out. JSON, one record a message; times in epoch "
            "milliseconds UTC; symbols and timeframes as ccxt writes them; exact decimals as strings.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS.values()},
        "operations": {
            f"{action}_{topic.name}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": topic.purpose,
            }
            for topic in TOPICS.values()
            for action in _ACTIONS[topic.direction]
        },
        "components": {
            "messages": {
                _name(topic, record): _message(topic, record) for topic in TOPICS.values() for record in of(topic)
            },
            "schemas": definitions(models, "#/components/schemas/{model}"),
        },
    }


def _channel(topic: Topic) -> Document:
    return {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {
            record.__name__: {"$ref": f"#/components/messages/{_name(topic, record)}"} for record in of(topic)
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": [topic.cleanup], "retention.ms": topic.retention_ms},
                "bindingVersion": BINDINGS,
            }
        },
    }


def of(topic: Topic) -> tuple[type[Record], ...]:
    """The records on a topic."""
    return topic.record, *topic.between


def _name(topic: Topic, record: type[Record]) -> str:
    return topic.name if record is topic.record else f"{topic.name}-{record.__name__.lower()}"


def _message(topic: Topic, record: type[Record]) -> Document:
    name = record.__name__
    key = f"the record's `{topic.key}`" if topic.key in topic.record.model_fields else f"the {topic.key}"
    keyed: Document = {"type": "string", "description": f"{key}, UTF-8"}
    return {
        "name": name,
        "summary": (record.__doc__ or "").strip().splitlines()[0],
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {
            "kafka": {
                **({"key": keyed} if record is topic.record else {}),
                "bindingVersion": BINDINGS,
            }
        },
    }
