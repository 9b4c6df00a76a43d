"""Alignment of all symbols by event time: one stream in a canonical order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from flows.columns import Bools, Floats, Ints, Slots
from schemas.slices import END, Slices, empty_columns


@dataclass(frozen=True, slots=True)
class Block:
    """Complete instants of all shards, sorted by instant and then by symbol; ``slot`` indexes ``symbols``.

    ``signals`` are sorted by instant, symbol and the order of the strategies. ``watermark``: nothing more will be
    said about any instant up to it.
    """

    symbols: tuple[str, ...]
    timeframes: Ints
    slot: Slots
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    signals: tuple[Any, ...]
    watermark: int

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the stream that a person should know: a symbol or shard, an instant, and the figures."""

    code: str
    ts: int
    shard: str
    symbol: str | None
    figures: dict[str, Any]


class Shard(msgspec.Struct):
    """What is known of one shard."""

    watermark: int
    upto: int = 0
    newest: int = -1  # close time of its newest row
    first: int = -1  # … and of its first
    trusted: bool = False  # all its symbols have had time to show themselves
    given_up: bool = False  # waited for in vain while it had no symbol
    silent: int = -1  # position behind which it was found silent
    slots: list[int] = []


class Aligner:
    """Holds rows back until every symbol has reached their instant.

    A symbol has reached an instant when its next candle must lie behind it. A shard that has not spoken, and for
    ``lateness_ms`` of event time one whose symbols may not all be known yet, holds back everything. What a time-out
    gives up on is no longer waited for until it speaks again; what it then says of instants that have been said is
    taken at the next one.

    The order within an instant is by symbol name, so neither the number of shards nor the order in which they came
    is to be seen in what follows.
    """

    def __init__(self, lateness_ms: int) -> None:
        self.lateness = lateness_ms
        self.symbols: list[str] = []
        self.timeframes: Ints = np.empty(0, np.int64)
        self.shards: dict[str, Shard] = {}
        self._slots: dict[str, int] = {}
        self._last: Ints = np.empty(0, np.int64)
        self._quiet: Bools = np.empty(0, np.bool_)
        self._rank: Ints = np.empty(0, np.int64)
        self._held: list[Any] = []
        self._signals: list[Any] = []
        self._newest, self._said = -1, -1

    def push(self, slices: Slices) -> list[Notice]:
        """Take what a shard said. Returns what is odd about it."""
        for name in (*slices.shards, slices.shard):
            if name not in self.shards:
                self.shards[name] = Shard(self._said)
        shard = self.shards[slices.shard]
        if slices.cause == "timeout":
            return self._give_up(shard, slices)
        if slices.cause == "silence":
            if shard.silent == slices.upto:
                return []
            shard.silent = slices.upto
            figures = {"silent_s": slices.waited_ms / 1_000, "last_ts": shard.newest}
            return [Notice("FEED_STALE", max(slices.watermark, 0), slices.shard, None, figures)]
        shard.watermark, shard.upto = max(shard.watermark, slices.watermark), slices.upto
        slot = self._own(shard, slices)
        self._signals.extend(slices.signals)
        if not len(slices):
            return []
        late = self._late(slices, slot)
        self._last[slot] = slices.ts  # of several rows of one symbol the last one stays
        self._quiet[slot] = False
        shard.given_up = False
        shard.newest = max(shard.newest, int(slices.ts.max()))
        shard.first = shard.first if shard.first >= 0 else int(slices.ts[0])
        shard.trusted = shard.trusted or shard.newest >= shard.first + self.lateness
        self._held.append((slot, slices.ts, slices.open, slices.high, slices.low, slices.close))
        self._newest = max(self._newest, shard.newest)
        return late

    def _own(self, shard: Shard, slices: Slices) -> Slots:
        """The rows' slots here; symbols that are new get the next ones."""
        for name, step in zip(slices.symbols, slices.timeframes.tolist(), strict=True):
            if name not in self._slots:
                self._slots[name] = len(self.symbols)
                shard.slots.append(len(self.symbols))
                self.symbols.append(name)
                self.timeframes = np.append(self.timeframes, step)
                self._last, self._quiet = np.append(self._last, -1), np.append(self._quiet, False)
        return np.array([self._slots[name] for name in slices.symbols], np.int32)[slices.slot]

    def _late(self, slices: Slices, slot: Slots) -> list[Notice]:
        """A symbol's first row is never late: nobody could wait for it."""
        late = np.flatnonzero((slices.ts <= self._said) & (self._last[slot] >= 0))
        notices = []
        for one in np.unique(slot[late]).tolist():
            ts = slices.ts[late[slot[late] == one]]
            figures = {"candles": len(ts), "first_ts": int(ts[0]), "last_ts": int(ts[-1]), "said_ts": self._said}
            notices.append(Notice("CANDLE_LATE", int(ts[-1]), slices.shard, self.symbols[one], figures))
        return notices

    def _give_up(self, shard: Shard, slices: Slices) -> list[Notice]:
        """Wait no longer for what has not reached the instant of a time-out."""
        shard.trusted, instant = True, slices.watermark
        waited = {"waited_s": slices.waited_ms / 1_000}
        if shard.newest < 0:
            known = shard.given_up
            shard.given_up = True
            return [] if known else [Notice("SHARD_EMPTY", instant, slices.shard, None, waited)]
        missing = [slot for slot in shard.slots if not self._quiet[slot] and self._reached(slot) < instant]
        self._quiet[missing] = True
        if missing and len(missing) == len(shard.slots) > 1:
            figures = {**waited, "symbols": len(missing), "last_ts": shard.newest}
            return [Notice("FEED_STALE", instant, slices.shard, None, figures)]
        return [
            Notice(
                "SYMBOL_QUIET",
                instant,
                slices.shard,
                self.symbols[slot],
                {**waited, "last_ts": self._last.item(slot), "alive": len(shard.slots) - len(missing)},
            )
            for slot in missing
        ]

    def _reached(self, slot: int) -> int:
        last = self._last.item(slot)
        return last + self.timeframes.item(slot) - 1 if last >= 0 else -1

    def _reach(self, shard: Shard) -> int | None:
        """Up to where a shard has said everything; None when it is not waited for."""
        if shard.watermark == END:
            return END
        if shard.newest < 0:
            return None if shard.given_up else shard.watermark
        slots = np.array(shard.slots)
        slots = slots[~self._quiet[slots]]
        if not len(slots):
            return None
        if not shard.trusted:
            return shard.watermark
        last = self._last[slots]
        reached = -1 if last.min() < 0 else int((last + self.timeframes[slots]).min()) - 1
        return max(shard.watermark, reached)

    @property
    def said(self) -> int:
        """All instants up to this one have been said."""
        return self._said

    def waiting(self) -> tuple[int, dict[str, int]]:
        """The newest instant that is held back (-1 if none is), and how far each shard is that it waits for."""
        if self._newest <= self._said:
            return -1, {}
        reached = {name: self._reach(shard) for name, shard in self.shards.items()}
        behind = {name: reach for name, reach in reached.items() if reach is not None and reach < self._newest}
        return self._newest, behind

    def pop(self) -> Block | None:
        """All that every symbol has reached, or None when that is nothing new."""
        low = min((reach for shard in self.shards.values() if (reach := self._reach(shard)) is not None), default=-1)
        if low <= self._said:
            return None
        before, self._said = self._said, low
        slot, ts, *prices = self._take(low)
        if len(ts) and ts.min() <= before:
            late = ts <= before
            ts = np.where(late, low if late.all() else ts[~late].min(), ts)
        key = ts * len(self.symbols) + self._ranks()[slot]
        if len(key) > 1 and not (key[1:] >= key[:-1]).all():
            # One integer key keeps it to a single stable sort, which is a merge on what are sorted runs mostly.
            order = np.argsort(key, kind="stable")
            slot, ts, prices = slot[order], ts[order], [column[order] for column in prices]
        signals = sorted((one for one in self._signals if one.ts <= low), key=lambda one: (one.ts, one.symbol))
        self._signals = [one for one in self._signals if one.ts > low]
        open_, high, low_, close = prices
        return Block(tuple(self.symbols), self.timeframes, slot, ts, open_, high, low_, close, tuple(signals), low)

    def _take(self, low: int) -> list[Any]:
        """The held rows up to an instant, in the order in which they came; the others stay."""
        columns = [np.concatenate(parts) for parts in zip(empty_columns()[:6], *self._held, strict=True)]
        ts = columns[1]
        if not len(ts) or ts.max() <= low:
            self._held = []
            return columns
        done = ts <= low
        self._held = [tuple(column[~done] for column in columns)]
        return [column[done] for column in columns]

    def _ranks(self) -> Ints:
        if len(self._rank) != len(self.symbols):
            self._rank = np.argsort(np.argsort(np.array(self.symbols)))
        return self._rank

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "shards": {name: msgspec.structs.astuple(shard) for name, shard in self.shards.items()},
            "slots": {name: list(shard.slots) for name, shard in self.shards.items()},
            "symbols": list(self.symbols),
            "timeframes": self.timeframes.copy(),
            "last": self._last.copy(),
            "quiet": self._quiet.copy(),
            "held": list(self._held),
            "signals": list(self._signals),
            "instants": (self._newest, self._said),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.symbols, self.timeframes = list(state["symbols"]), state["timeframes"].copy()
        self._slots = {name: slot for slot, name in enumerate(self.symbols)}
        self.shards = {name: Shard(*values) for name, values in state["shards"].items()}
        for name, slots in state["slots"].items():
            self.shards[name].slots = list(slots)
        self._last, self._quiet = state["last"].copy(), state["quiet"].copy()
        self._held, self._signals = list(state["held"]), list(state["signals"])
        self._newest, self._said = state["instants"]
