"""From a record to the message that carries it: its topic, key, id, bytes, and trace."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.alert import Alert
from schemas.command import Command
from schemas.config.commands import SINK
from schemas.ids import event_id
from schemas.topics import TOPICS
from schemas.trace import traceparent
from schemas.wire import encode, wire
from sinks.kafka.envelope import Message

VERSION = 1
DIVERGED = "OUTPUT_DIVERGED"
AlertRow, CommandRow = wire(Alert), wire(Command)

# What tells apart the records of a topic that have no id of their own, or share it with others.
FACTS = {
    "candles": ("symbol", "timeframe", "ts"),
    "bars": ("symbol", "timeframe", "ts"),
    "trades": ("symbol", "id"),
    "quotes": ("symbol", "ts"),
    "journal": ("shard", "watermark", "cause"),
    "positions": ("id", "status", "ts"),
    "equity": ("portfolio", "mode", "strategy", "ts"),
    "metrics": ("name", "labels", "ts"),
    "events": ("run", "name", "ts"),
}


def message_id(topic: str, record: Any) -> str:
    """The id of a record among all of its topic: its own, or the uuid5 of the topic's name and the facts it states.

    Two records may still agree in them (two quotes in one millisecond); their order tells them apart then.

    >>> from schemas.metric import Metric
    >>> message_id("metrics", Metric(ts=60000, name="candles", value=3.0, labels={}))
    '93d694da-60ee-5fae-b3c7-d4385fd5be97'
    >>> message_id("orders", {"id": "8afae159-2730-564c-9835-a71761348c7b"})
    '8afae159-2730-564c-9835-a71761348c7b'
    """
    facts = FACTS.get(topic)
    if facts is None:
        return str(_get(record, "id"))
    return event_id(topic, *(_fact(_get(record, name)) for name in facts))


def message(topic: str, record: Any, portfolio: str, prefix: str = "") -> Message:
    """The message of a record, for the topic ``prefix`` + ``topic``.

    ``portfolio`` is the key where the record does not name what it is keyed by.

    Raises ValueError for a topic that is not among ours.
    """
    definition = TOPICS.get(topic)
    if definition is None:
        raise ValueError(f"there is no topic {topic}: they are {', '.join(TOPICS)}")
    key = _get(record, definition.key, portfolio)
    schema = f"{definition.record.__name__}/{VERSION}"
    id_ = message_id(topic, record)
    trace = traceparent(topic, id_, _get(record, "symbol", None), _get(record, "ts", 0))
    return Message(prefix + topic, str(key), id_, encode(_plain(record)), schema, trace)


def diverged(part: str, known: Message, prefix: str = "") -> Message:
    """The alert about a record that was computed again and came out differently: ``known`` is what came out now.

    It depends on nothing but the id of the record, so that it is the same each time it is raised.
    """
    record, topic = msgspec.json.decode(known.value), known.topic.removeprefix(prefix)
    alert = AlertRow(
        id=event_id(DIVERGED, part, topic, known.id),
        ts=record.get("ts", record.get("watermark", 0)),
        level="critical",
        code=DIVERGED,
        symbol=record.get("symbol"),
        strategy=record.get("strategy"),
        message=f"{topic} {known.id} was published before, but came out differently when it was computed again:"
        " what was published stands",
        figures={"part": part, "topic": topic, "id": known.id},
    )
    return message("alerts", alert, part, prefix)


def alarm(part: str, known: Message, portfolio: str, now_ms: int, prefix: str = "") -> Message:
    """The command about the same: it counts for the breaker ``divergence``."""
    topic = known.topic.removeprefix(prefix)
    command = CommandRow(
        id=event_id(DIVERGED, part, topic, known.id, "alarm"),
        ts=now_ms,
        portfolio=portfolio,
        sender=SINK,
        name="alarm",
        arguments={"what": f"{DIVERGED} {topic} {known.id}"},
    )
    return message("commands", command, portfolio, prefix)


_NONE = object()


def _get(record: Any, name: str, default: Any = _NONE) -> Any:
    value = record.get(name, default) if isinstance(record, dict) else getattr(record, name, default)
    if value is _NONE:
        raise ValueError(f"a record has no {name}, which tells it apart: {record!r:.200}")
    return value


def _fact(value: Any) -> str | int:
    if isinstance(value, dict):
        return ",".join(f"{name}={value[name]}" for name in sorted(value))
    return value if isinstance(value, int) else str(value)


def _plain(record: Any) -> Any:
    return record.model_dump() if hasattr(record, "model_dump") else record
