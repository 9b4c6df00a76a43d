"""Slices: what the market stage tells the portfolio stage, as columns, and their form in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from schemas.command import Command
from schemas.slice import Slice
from schemas.timeframe import name_of, step_of
from schemas.wire import wire
from schemas.word import Word

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Slots = NDArray[np.int32]
Bools = NDArray[np.bool_]
Cause = Literal["candles", "timeout", "silence", "command"]

END = 2**62
"""The watermark of a shard that has said everything."""

SliceRow, CommandRow = wire(Slice), wire(Command)


@dataclass(frozen=True, slots=True)
class Slices:
    """What one shard has to say: rows in the order in which they came, each symbol's in the order of time.

    ``shards`` are all there are, for nothing is complete before each has spoken. ``slot`` indexes ``symbols``, which
    may name some that have no row yet. ``position`` is where a row came from (the offset in its partition); a flat
    candle has that of the row which made clear that it is missing, the next one that came. Every position before
    ``upto`` has now been said. ``signals`` are the few :class:`schemas.signal.Signal` that the rows ``signal_row``
    raised. Nothing up to ``watermark`` (epoch ms UTC, -1 at first; :data:`END` when the shard has said everything)
    will follow.

    A ``cause`` other than candles has no rows: the portfolio stopped waiting for what had not come at the instant
    ``watermark`` (``timeout``), or nothing at all came for long (``silence``). Or it is a ``command``, which no shard
    of the market says: ``shard`` and ``upto`` tell where it stands on its topic.
    """

    shard: str
    shards: tuple[str, ...]
    symbols: tuple[str, ...]
    timeframes: Ints
    slot: Slots
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    position: Ints
    signals: tuple[Any, ...]
    signal_row: tuple[int, ...]
    upto: int
    watermark: int
    cause: Cause = "candles"
    waited_ms: int = 0
    command: Any = None  # schemas.command.Command
    received_ms: int = 0

    def __len__(self) -> int:
        return len(self.ts)

    def came(self) -> Bools:
        """By row: whether it came itself, and is no flat candle. Positions must be offsets of one partition."""
        came = np.ones(len(self), np.bool_)
        came[:-1] = self.position[1:] != self.position[:-1]
        return came

    def after(self, upto: int) -> Slices | None:
        """What lies at or behind a position; None when everything here has been said before it."""
        if self.upto <= upto:
            return None
        begin = int(np.searchsorted(self.position, upto))  # positions rise
        if begin == 0:
            return self
        kept = [
            (signal, row - begin) for signal, row in zip(self.signals, self.signal_row, strict=True) if row >= begin
        ]
        columns = {name: getattr(self, name)[begin:] for name in COLUMNS}
        return replace(self, **columns, signals=tuple(one for one, _ in kept), signal_row=tuple(row for _, row in kept))

    def before(self, upto: int) -> Slices:
        """What lies before a position: all but :meth:`after`, which is to follow at once.

        The watermark holds only with what follows. So this has 0, by which a reader stays with the one before.
        """
        end = int(np.searchsorted(self.position, upto))
        kept = [(signal, row) for signal, row in zip(self.signals, self.signal_row, strict=True) if row < end]
        return replace(
            self,
            **{name: getattr(self, name)[:end] for name in COLUMNS},
            signals=tuple(one for one, _ in kept),
            signal_row=tuple(row for _, row in kept),
            upto=upto,
            watermark=min(self.watermark, 0),
        )

    def record(self, named: Sequence[int] = ()) -> Slice:
        """As it goes to the journal: of the symbols those with rows, and the slots of ``named``."""
        used, slot = np.unique(np.concatenate((self.slot, np.array(named, np.int32))), return_inverse=True)
        return SliceRow(
            shard=self.shard,
            shards=list(self.shards),
            upto=self.upto,
            watermark=self.watermark,
            cause=self.cause,
            waited_ms=self.waited_ms,
            symbols=[self.symbols[one] for one in used.tolist()],
            timeframes=[name_of(one) for one in self.timeframes[used].tolist()],
            slot=slot[: len(self)].tolist(),
            **{name: getattr(self, name).tolist() for name in COLUMNS if name != "slot"},
            signals=list(self.signals),
            signal_row=list(self.signal_row),
            command=self.command,
            received_ms=self.received_ms,
        )

    @classmethod
    def of(cls, record: Slice) -> Slices:
        """From the journal."""
        return cls(
            shard=record.shard,
            shards=tuple(record.shards),
            symbols=tuple(record.symbols),
            timeframes=np.array([step_of(one) for one in record.timeframes], np.int64),
            slot=np.array(record.slot, np.int32),
            ts=np.array(record.ts, np.int64),
            open=np.array(record.open, np.float64),
            high=np.array(record.high, np.float64),
            low=np.array(record.low, np.float64),
            close=np.array(record.close, np.float64),
            position=np.array(record.position, np.int64),
            signals=tuple(record.signals),
            signal_row=tuple(record.signal_row),
            upto=record.upto,
            watermark=record.watermark,
            cause=record.cause,
            waited_ms=record.waited_ms,
            command=record.command,
            received_ms=record.received_ms,
        )


COLUMNS = ("slot", "ts", "open", "high", "low", "close", "position")


def notice(shard: str, shards: Sequence[str], upto: int, instant: int, cause: Cause, waited_ms: int) -> Slices:
    """Slices without rows: that something has not come.

    >>> notice("candles-1", ["candles-0", "candles-1"], 42, 60_000, "timeout", 5_000).record().cause
    'timeout'
    """
    return Slices(
        shard, tuple(shards), (), np.empty(0, np.int64), *empty_columns(), (), (), upto, instant, cause, waited_ms
    )


def heard(word: Word) -> Slices:
    """Slices without rows: a command. Raises TypeError for a word that is none."""
    if not isinstance(word.said, Command):
        raise TypeError("a dead letter is no entry of the journal")
    none: Ints = np.empty(0, np.int64)
    return Slices(
        *(word.shard, (), (), none, *empty_columns(), (), (), word.upto, -1, "command", 0),
        command=CommandRow(**word.said.model_dump()),
        received_ms=word.now_ms,
    )


def empty_columns() -> tuple[Slots, Ints, Floats, Floats, Floats, Floats, Ints]:
    """Columns without a row: slot, ts, open, high, low, close, position."""
    none = np.empty(0)
    return np.empty(0, np.int32), np.empty(0, np.int64), none, none, none, none, np.empty(0, np.int64)
