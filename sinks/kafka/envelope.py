"""What a record is sent in: topic, key, bytes, headers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Headers = list[tuple[str, str | bytes | None]]


@dataclass(frozen=True, slots=True)
class Message:
    """One record on its way: ``id`` names it for ever, equal ids must have equal ``value``."""

    topic: str
    key: str
    id: str
    value: bytes
    schema: str = ""
    traceparent: str = ""

    def headers(self, part: str) -> Headers:
        """The headers, when ``part`` sends it."""
        return [("id", self.id), ("part", part), ("schema", self.schema), ("traceparent", self.traceparent)]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal is told of a shard: the positions from ``first`` on, before ``upto``.

    ``after(position)`` are the entries of what lies at or behind a position within.
    """

    message: Message
    shard: str
    first: int
    upto: int
    after: Callable[[int], Sequence[Entry]]

    def headers(self, part: str) -> Headers:
        """Those of the message, and what a successor has to know."""
        return [*self.message.headers(part), ("shard", self.shard), ("upto", str(self.upto))]
