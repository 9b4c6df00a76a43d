"""Tick: a shard is at the end of its partition, and alive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tick:
    """At ``now_ms`` (wall clock, epoch ms) there was nothing behind position ``upto`` of the shard's partition.

    The one way in which a live run hears of the wall clock. It decides nothing by itself: what comes of it is an entry
    in the journal.
    """

    shard: str
    upto: int
    now_ms: int
