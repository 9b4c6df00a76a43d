"""The source of a replay from Kafka: stretches of a topic, each to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from confluent_kafka import Message

from connectors.kafka.ahead import MAX_AHEAD_MS
from connectors.kafka.candle_topic import CandleTopic, Known
from connectors.kafka.feed import Feed
from connectors.kafka.journal_source import Entries
from connectors.kafka.stretch import Stretch, Stretched
from schemas.window import Window

Item = tuple[str, Any]
Told = Callable[[str, int], None]


class Made(NamedTuple):
    """Items for the dataflow, and how many rows they stand for in the progress."""

    items: list[Item]
    rows: int


class Maker(Protocol):
    """Makes items of the messages of one stretch. ``state`` is what it knows of those before."""

    @property
    def state(self) -> Any:
        """What does not change any more."""

    def __call__(self, messages: Sequence[Message], final: bool) -> Made:
        """The items of some messages; ``final`` with the last ones, which may be none."""


class CandleMaker:
    """Batches of candles, just as a live run makes them; the last one is final. A row is a message."""

    def __init__(self, stretch: Stretch, window: Window, known: Known | None, max_ahead_ms: int = MAX_AHEAD_MS) -> None:
        self._columns = CandleTopic(stretch.topic, stretch.partition, known, window, max_ahead_ms)

    @property
    def state(self) -> Known:
        """The symbols that it has seen."""
        return self._columns.known

    def __call__(self, messages: Sequence[Message], final: bool) -> Made:
        """One batch."""
        batch = replace(self._columns.batch(messages), final=final)
        return Made([(self._columns.shard, batch)], len(messages))


class EntryMaker:
    """The entries of one portfolio; behind the last one comes None. A row is a candle in an entry."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    @property
    def state(self) -> Mapping[str, int]:
        """What has been said, by shard."""
        return dict(self._entries.said)

    def __call__(self, messages: Sequence[Message], final: bool) -> Made:
        """An item for each entry."""
        found = [slices for slices in map(self._entries.take, messages) if slices is not None]
        items: list[Item] = [(self._entries.part, slices) for slices in found]
        return Made(items + [(self._entries.part, None)] * final, sum(map(len, found)))


class State(NamedTuple):
    """Where a part goes on: the next offset, what its maker knows, rows so far, whether the last item has left."""

    offset: int
    known: Any
    rows: int
    final: bool


class StretchReader(StatefulSourcePartition[Item, State]):
    """Hands over one stretch. Behind its last item the stream ends."""

    def __init__(self, source: StretchSource, stretch: Stretch, state: State | None) -> None:
        self._source, self._name = source, stretch.name
        self._rows, self._final = (state.rows, state.final) if state else (0, False)
        self._make = source.maker(stretch, state.known if state else None)
        self._part = Stretched(source.feed, stretch, state.offset if state else None)
        self._snapped: int | None = None
        source.on_rows(self._name, self._rows)

    def next_batch(self) -> list[Item]:
        """What has come in the meantime. Raises OffsetLostError, and JournalError; StopIteration at the end."""
        if self._snapped is not None:
            # Bytewax starts an epoch only when the one before it is durable everywhere: so the last snapshot is.
            self._source.on_durable(self._name, self._snapped)
            self._snapped = None
        if self._final:
            raise StopIteration
        messages = self._part.take(self._source.batch_rows)
        self._final = self._part.done
        if not messages and not self._final:
            return []
        made = self._make(messages, self._final)
        self._rows += made.rows
        self._source.on_rows(self._name, self._rows)
        return made.items

    def next_awake(self) -> datetime | None:
        """At once as long as there is something; a few milliseconds later when there was nothing."""
        return self._part.next_awake()

    def snapshot(self) -> State:
        """Where to go on."""
        self._snapped = self._rows
        return State(self._part.offset, self._make.state, self._rows, self._final)

    def close(self) -> None:
        """Leave the broker."""
        self._part.close()


class StretchSource(FixedPartitionedSource[Item, State]):
    """One part for each stretch, called ``TOPIC-NUMBER``."""

    def __init__(
        self,
        feed: Feed,
        parts: Sequence[Stretch],
        maker: Callable[[Stretch, Any], Maker],
        batch_rows: int,
        on_rows: Told,
        on_durable: Told,
    ) -> None:
        self.feed, self.maker, self.batch_rows = feed, maker, batch_rows
        self.on_rows, self.on_durable = on_rows, on_durable
        self._parts = {part.name: part for part in parts}

    def list_parts(self) -> list[str]:
        """All stretches: every process can read them."""
        return list(self._parts)

    def build_part(self, step_id: str, for_part: str, resume_state: State | None) -> StretchReader:  # noqa: ARG002
        """Go on where the snapshot was taken."""
        return StretchReader(self, self._parts[for_part], resume_state)
