"""The source of the portfolio chain: the entries of one portfolio in the journal, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast, get_type_hints

import msgspec
import numpy as np
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from confluent_kafka import Message

from connectors.kafka.feed import Feed, SourceError, SourceHooks
from connectors.kafka.partition import Before, Partition
from connectors.sharding import shard_of
from schemas.command import Command
from schemas.signal import Signal
from schemas.slice import Slice
from schemas.slices import COLUMNS, Slices
from schemas.wire import wire

Item = tuple[str, Slices]
ROWS = 1_000

# Unlike the struct that is written, it takes no field that is not known: it may be the one that matters.
_fields = {**get_type_hints(Slice), "signals": list[wire(Signal)], "command": wire(Command) | None}  # type: ignore[misc]
_all: list[Any] = [
    (name, _fields[name]) if field.is_required() else (name, _fields[name], field.default)
    for name, field in Slice.model_fields.items()
]
_row = msgspec.defstruct("JournalRow", _all, forbid_unknown_fields=True, gc=False)
_decoder = msgspec.json.Decoder(_row)


class JournalError(SourceError):
    """An entry of the journal cannot be read, so the account cannot be known."""


def read_slices(value: bytes) -> Slices:
    """What an entry says. Raises ValueError, with what is wrong, when it is none.

    >>> from schemas.slices import notice
    >>> from schemas.wire import encode
    >>> read_slices(encode(notice("candles-1", ["candles-0", "candles-1"], 42, 60_000, "timeout", 5_000).record())).upto
    42
    """
    try:
        slices = Slices.of(cast(Slice, _decoder.decode(value)))
    except (OverflowError, RecursionError) as wrong:
        raise ValueError(str(wrong)) from None
    contradiction = _contradiction(slices)
    if contradiction is not None:
        raise ValueError(contradiction)
    return slices


def _contradiction(slices: Slices) -> str | None:
    """What no reader may rely on, if anything. Only lengths, places and order: the figures are the market stage's."""
    lengths = {name: len(getattr(slices, name)) for name in COLUMNS}
    if len(set(lengths.values())) > 1:
        return f"columns of different lengths: {', '.join(f'{name} {count}' for name, count in lengths.items())}"
    if len(slices.symbols) != len(slices.timeframes):
        return f"{len(slices.symbols)} symbols, but {len(slices.timeframes)} timeframes"
    if len(slices.signals) != len(slices.signal_row):
        return f"{len(slices.signals)} signals, but {len(slices.signal_row)} rows that raised them"
    if len(slices) and not 0 <= slices.slot.min() <= slices.slot.max() < len(slices.symbols):
        return f"slots from {slices.slot.min()} to {slices.slot.max()}, but {len(slices.symbols)} symbols"
    if not all(0 <= row < len(slices) for row in slices.signal_row):
        return f"signals of rows {list(slices.signal_row)}, but {len(slices)} rows"
    if (np.diff(slices.position) < 0).any():
        return "positions that fall"
    if (slices.cause == "command") != (slices.command is not None):
        return f"an entry of cause {slices.cause}, {'without' if slices.command is None else 'with'} a command"
    return None


class Entries:
    """Which messages of the journal are entries of one portfolio, and what they say, each position once.

    A process that was thought to be dead may still say what its successor says, too. The first word counts: of an
    entry that begins before another one has ended, the rest is taken.
    """

    def __init__(self, portfolio: str, deployment: str, said: Mapping[str, int] | None = None) -> None:
        self.part = f"portfolio-{portfolio}"
        """The key of the portfolio stage."""
        self.said = dict(said or {})
        """By shard: every position before this one has been said."""
        self._key, self._deployment = portfolio.encode(), f"{deployment}.".encode()

    def ours(self, message: Message) -> bool:
        """Whether it is of this portfolio, and not said by another deployment that has one of the same name."""
        if message.key() != self._key:
            return False
        by = _part(message)
        return by is None or by.startswith(self._deployment)

    def take(self, message: Message) -> Slices | None:
        """What a message says, if it is an entry of ours, that no other before it has said. Raises JournalError."""
        if not self.ours(message):
            return None
        slices = self._read(message)
        if slices.cause not in ("candles", "command"):
            return slices
        said = self.said.get(slices.shard, 0)
        self.said[slices.shard] = max(said, slices.upto)
        return slices.after(said)

    def _read(self, message: Message) -> Slices:
        try:
            return read_slices(message.value() or b"")
        except ValueError as wrong:
            at = message.offset()
            raise JournalError(
                f"{message.topic()}-{message.partition()}: the message at offset {at} is no entry of the journal: "
                f"{wrong}. What it said may be missing from the account, so nothing goes on. Look at it: penstock tail "
                f"journal --json --from {at} -n 1. Was it written by a newer version: run that one. By anybody else: "
                "take away his right to write here, and begin as somebody else, with another kafka.deployment and "
                "another portfolio.name"
            ) from None


def _part(message: Message) -> bytes | None:
    by = dict(message.headers() or ()).get("part")
    return by.encode() if isinstance(by, str) else by


def whose(message: Message) -> str:
    """Portfolio and writer of a message of the journal, in words."""
    key, by = message.key(), _part(message)
    name = key.decode(errors="backslashreplace") if isinstance(key, bytes) else str(key)
    return name if by is None else f"{name} (written by {by.decode(errors='backslashreplace')})"


class JournalState(NamedTuple):
    """Where a reader goes on: the next offset, and what has been said before it, by shard."""

    offset: int
    said: Mapping[str, int]


class JournalReader(StatefulSourcePartition[Item, JournalState]):
    """Hands over what the journal says to one portfolio."""

    def __init__(self, feed: Feed, number: int, portfolio: str, state: JournalState | None) -> None:
        self._number, self._name = number, f"{feed.topic}-{number}"
        self._entries = Entries(portfolio, feed.group, state.said if state else None)
        self._partition = Partition(feed, number, state.offset if state else None, self._first)

    def _first(self, before: Before) -> int:
        """Without a snapshot: the beginning, for an account is all that the journal has said."""
        elsewhere = sorted(before.committed.keys() - {self._number})
        if elsewhere:
            raise SourceError(
                f"{self._name}: this deployment has read {self._name.rpartition('-')[0]}-{elsewhere[0]} so far: the "
                "topic has got other partitions since, and keys have moved between them. Make the topic anew with as "
                "many as it had, or begin as somebody else, with another kafka.deployment"
            )
        if before.committed and before.low > 0:
            raise SourceError(
                f"{self._name}: this deployment has read it before, but has no state, and retention has deleted all "
                f"entries before offset {before.low}: without them its account cannot be made again. Restore the "
                "state from a backup, or begin as somebody else, with another kafka.deployment"
            )
        return before.low

    def next_batch(self) -> list[Item]:
        """What has come in the meantime; nothing when that is nothing. Raises OffsetLostError and JournalError."""
        found = map(self._entries.take, self._partition.take(ROWS))
        return [(self._entries.part, slices) for slices in found if slices is not None]

    def next_awake(self) -> datetime | None:
        """At once as long as there is something; a millisecond later when there was nothing."""
        return self._partition.next_awake()

    def snapshot(self) -> JournalState:
        """The next offset, and what has been said before it."""
        return JournalState(self._partition.snapshot(), dict(self._entries.said))

    def close(self) -> None:
        """Leave the broker. The last snapshot may not be durable, so nothing is committed."""
        self._partition.close()


class JournalSource(FixedPartitionedSource[Item, JournalState]):
    """The entries of ``portfolio``: items ``("portfolio-NAME", Slices)``.

    It has one part, the partition that Kafka's default partitioner gives to the portfolio's name, called
    ``TOPIC-NUMBER``. Messages with another key are of other portfolios and are passed over, and so are those that
    another deployment has written: ``group`` is the name of this one. ``client`` are settings of librdkafka; those in
    :data:`connectors.kafka.feed.MUST` stay as they are.
    """

    def __init__(
        self, client: Mapping[str, Any], group: str, topic: str, portfolio: str, hooks: SourceHooks | None = None
    ) -> None:
        self._feed = Feed(dict(client), group, topic, "entries of the journal", hooks or SourceHooks())
        self._portfolio = portfolio

    def list_parts(self) -> list[str]:
        """The one part. Raises SourceError when the broker or the topic is not there."""
        return [f"{self._feed.topic}-{shard_of(self._portfolio, self._feed.partitions)}"]

    def build_part(self, step_id: str, for_part: str, resume_state: JournalState | None) -> JournalReader:  # noqa: ARG002
        """Go on where the snapshot was taken. Raises SourceError when the broker is not there."""
        return JournalReader(self._feed, int(for_part.rpartition("-")[2]), self._portfolio, resume_state)
