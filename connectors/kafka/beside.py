"""Whether the feed of another exchange is at work on the same topics: their trades would make one candle."""

from __future__ import annotations

from pydantic import ValidationError

from connectors.kafka.connection import Connection
from connectors.kafka.tail import Seen, Tail
from schemas.metric import Metric

WITHIN_MS = 180_000
"""A feed tells of itself once a minute, on the topic of metrics."""
OPENED = "feed_opened"
KEY = "key"


def fed_beside(connection: Connection, topic: str, exchange: str, now_ms: int, key: str = "") -> tuple[str, int] | None:
    """Another exchange whose feed told of itself in the last minutes, and how long ago that was in ms.

    ``key`` is that of the metric :data:`OPENED` by which this feed has told of itself: who did so later gives way.
    """
    found = _told(connection, topic, now_ms - WITHIN_MS)
    own = next((seen for seen, metric in found if key and metric.labels.get(KEY) == key), None)
    others = [
        (metric.labels["exchange"], now_ms - seen.ts)
        for seen, metric in found
        if metric.labels["exchange"] != exchange and not (own and metric.name == OPENED and seen.offset > own.offset)
    ]
    return min(others, key=lambda one: one[1], default=None)


def _told(connection: Connection, topic: str, since_ms: int) -> list[tuple[Seen, Metric]]:
    tail, found = Tail(connection, topic), []
    try:
        for seen in tail.until_end(tail.since(since_ms)):
            if (seen.key or b"").startswith(b"feed_"):
                try:
                    metric = Metric.model_validate_json(seen.value or b"")
                except ValidationError:
                    continue  # of somebody else
                if "exchange" in metric.labels:
                    found.append((seen, metric))
    finally:
        tail.close()
    return found
