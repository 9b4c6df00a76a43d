"""Finding single records on the topics, by what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.kafka.admin import Topics
from connectors.kafka.connection import Connection
from connectors.kafka.tail import Seen, Tail
from connectors.sharding import shard_of

MARGIN_MS = 600_000
"""How far the clocks of those who publish may be behind the times of their records."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record of one of our topics (named without the prefix), and the message that carries it."""

    topic: str
    seen: Seen
    record: dict[str, Any]

    @property
    def ts(self) -> int:
        """Event time, epoch ms."""
        return int(self.record["ts"])

    def __getitem__(self, field: str) -> Any:
        return self.record.get(field)


class Finder:
    """Reads the topics of an installation; committed records only.

    ``candles`` is the topic of the candles that strategies see, and ``timeframe`` theirs where it has others, too.
    """

    def __init__(self, connection: Connection, candles: str = "candles", timeframe: str | None = None) -> None:
        self._connection, self.candles, self._timeframe = connection, candles, timeframe
        self._tails: dict[str, Tail] = {}
        self._there = Topics(connection).names()

    def missing(self, topics: Collection[str]) -> list[str]:
        """Those of some topics that are not on the broker, by their full names."""
        return [name for topic in topics if (name := self._connection.kafka.topic(topic)) not in self._there]

    def close(self) -> None:
        """Let go of the connections."""
        for tail in self._tails.values():
            tail.close()

    def records(
        self, topic: str, needles: Collection[str], wanted: Callable[[Found], bool], since: int | None = None
    ) -> Iterator[Found]:
        """The records that are wanted, of those whose text has one of the needles, or whose message has it as its id.

        ``since``: only those that were published at that event time (epoch ms) or later. Needles may be added while
        this goes on.
        """
        if not needles:
            return
        tail = self._tail(topic)
        starts = tail.starts("beginning") if since is None else tail.since(max(0, since - MARGIN_MS))
        for seen in tail.until_end(starts):
            id_, value = seen.id or b"", seen.value or b""
            if any((one := needle.encode()) in value or one == id_ for needle in needles):
                found = _read(topic, seen)
                if found is not None and wanted(found):
                    yield found

    def traced(self, topic: str, trace: str) -> Found | None:
        """The first record whose header ``traceparent`` has a trace id."""
        tail, wanted = self._tail(topic), trace.encode()
        for seen in tail.until_end(tail.starts("beginning")):
            if (dict(seen.headers).get("traceparent") or b"")[3:35] == wanted:
                return _read(topic, seen)
        return None

    def candle(self, symbol: str, ts: int) -> Found | None:
        """The first message on the topic of candles with the candle of a symbol that closed at ``ts`` (epoch ms).

        It is looked for from the time of its close on, in the partition of the symbol; in the others only when that one
        has no candle of the symbol at all, as after partitions were added, or with a producer that chooses otherwise.
        """
        tail = self._tail(self.candles)
        starts = tail.since(max(0, ts - MARGIN_MS))
        home = shard_of(symbol, len(starts))
        found, lives_here = self._candle(symbol, ts, {home: starts.pop(home)})
        return found if found is not None or lives_here else self._candle(symbol, ts, starts)[0]

    def _candle(self, symbol: str, ts: int, starts: dict[int, int]) -> tuple[Found | None, bool]:
        """The candle, and whether there is any of the symbol."""
        key, met = symbol.encode(), False
        for seen in self._tail(self.candles).until_end(starts):
            found = _read(self.candles, seen) if seen.key in (key, None) else None
            if found is not None and found["symbol"] == symbol and self._timeframe in (None, found["timeframe"]):
                met = True
                if found.ts == ts:
                    return found, met
                if found.ts > ts + MARGIN_MS:
                    break  # candles of a symbol come in their order: it will not come any more
        return None, met

    def _tail(self, topic: str) -> Tail:
        if topic not in self._tails:
            self._tails[topic] = Tail(self._connection, self._connection.kafka.topic(topic))
        return self._tails[topic]


def _read(topic: str, seen: Seen) -> Found | None:
    try:
        record = msgspec.json.decode(seen.value or b"")
    except (ValueError, RecursionError):
        return None
    return Found(topic, seen, record) if isinstance(record, dict) and isinstance(record.get("ts"), int) else None
