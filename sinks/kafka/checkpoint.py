"""What a publisher has to know to go on, and its bytes in the recovery store."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from sinks.kafka.owed import Digests

Offsets = dict[tuple[str, int], int]
VERSION = 2


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    version: int
    ends: list[tuple[str, int, int]]
    owed: list[tuple[str, str, list[bytes]]]
    covered: dict[str, int] = {}  # version 1 has none, and is told by its number


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the partitions ended, what was still owed then, and up to where the journal had each shard.

    >>> checkpoint = Checkpoint({("orders", 0): 42}, {}, {"candles-0": 1_000})
    >>> Checkpoint.unpack(checkpoint.pack()) == checkpoint
    True
    """

    ends: Offsets
    owed: Digests
    covered: dict[str, int] = field(default_factory=dict)

    def pack(self) -> bytes:
        """A small form that does not depend on where the classes are."""
        ends = [(topic, partition, end) for (topic, partition), end in self.ends.items()]
        owed = [(topic, id_, list(digests)) for (topic, id_), digests in self.owed.items()]
        return msgspec.msgpack.encode(_Stored(VERSION, ends, owed, self.covered))

    @staticmethod
    def unpack(packed: bytes) -> Checkpoint:
        """The checkpoint of some bytes. Raises ValueError when they are of another version, or damaged."""
        try:
            stored = msgspec.msgpack.decode(packed, type=_Stored)
        except msgspec.MsgspecError as error:
            raise ValueError(f"the checkpoint of the Kafka sink cannot be read ({error}): restore it") from error
        if stored.version != VERSION:
            raise ValueError(f"the checkpoint of the Kafka sink has version {stored.version}, not {VERSION}")
        ends = {(topic, partition): end for topic, partition, end in stored.ends}
        owed = {(topic, id_): tuple(digests) for topic, id_, digests in stored.owed}
        return Checkpoint(ends, owed, stored.covered)
