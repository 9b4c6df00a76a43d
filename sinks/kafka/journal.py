"""Slices as messages of the journal: small enough for any broker, and recognised by the positions that they say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from schemas.ids import event_id
from schemas.slices import Ints, Slices
from schemas.trace import traceparent
from schemas.wire import encode
from sinks.kafka.envelope import Entry, Message

TOPIC = "journal"
SCHEMA = "Slice/1"
# A broker takes a message of 1 MB unless told otherwise. A row takes some 100 bytes, a signal some 600.
ROWS = 4_000
BYTES = 500_000


def entries(slices: Slices, portfolio: str, prefix: str = "") -> list[Entry]:
    """What a shard says, as entries, for the topic ``prefix`` + journal with the portfolio's name as key.

    Whoever reads parts decides as if they were one: each names the symbols of all of them, so the reader waits for
    those that come in a later part, and only the last has the watermark, which holds when all have been read. (A part
    could say more: that nothing before its next rows will follow. But then the reader would go on sooner than with the
    whole, and put a symbol elsewhere whose first candle comes after that.)
    """
    return _entries(slices, np.unique(slices.slot).tolist(), portfolio, prefix)


def _entries(slices: Slices, named: Sequence[int], portfolio: str, prefix: str) -> list[Entry]:
    cut = _middle(slices.position)
    if len(slices) <= ROWS or cut is None:
        value = encode(slices.record(named))
        if len(value) <= BYTES or cut is None:
            return [_entry(slices, value, portfolio, prefix)]
    halves = (slices.before(cut), slices.after(cut))
    return [one for half in halves if half is not None for one in _entries(half, named, portfolio, prefix)]


def _middle(position: Ints) -> int | None:
    """A position in the middle at which to cut; None when there is none. Rows of one position stay together."""
    later = position[len(position) // 2 :]
    later = later[later > position[0]] if len(position) else later
    return int(later[0]) if len(later) else None


def _entry(slices: Slices, value: bytes, portfolio: str, prefix: str) -> Entry:
    id_ = event_id(TOPIC, slices.shard, slices.upto)
    first = int(slices.position[0]) if len(slices) else slices.upto
    message = Message(prefix + TOPIC, portfolio, id_, value, SCHEMA, traceparent(TOPIC, id_, None, 0))
    return Entry(message, slices.shard, first, slices.upto, partial(_rest, slices, portfolio, prefix))


def _rest(slices: Slices, portfolio: str, prefix: str, upto: int) -> list[Entry]:
    rest = slices.after(upto)
    return [] if rest is None else entries(rest, portfolio, prefix)
