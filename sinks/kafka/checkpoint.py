"""What a publisher has to know to go on, and its bytes in the recovery store."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from sinks.kafka.owed import Digests

Offsets = dict[tuple[str, int], int]
VERSION = 1


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    version: int
    ends: list[tuple[str, int, int]]
    owed: list[tuple[str, str, list[bytes]]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the partitions ended, and what was still owed then.

    >>> checkpoint = Checkpoint({("orders", 0): 42}, {})
    >>> Checkpoint.unpack(checkpoint.pack()) == checkpoint
    True
    """

    ends: Offsets
    owed: Digests

    def pack(self) -> bytes:
        """A small form that does not depend on where the classes are."""
        ends = [(topic, partition, end) for (topic, partition), end in self.ends.items()]
        owed = [(topic, id_, list(digests)) for (topic, id_), digests in self.owed.items()]
        return msgspec.msgpack.encode(_Stored(VERSION, ends, owed))

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
        return Checkpoint(ends, {(topic, id_): tuple(digests) for topic, id_, digests in stored.owed})
