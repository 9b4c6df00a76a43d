"""Alignment of all symbols by event time: one stream in a canonical order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

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
    upto: int  # what the shard had said by then
    symbol: str | None
    figures: dict[str, Any]


class Held(NamedTuple):
    """Rows that wait, sorted: the instants of the oldest and the newest, and the columns of a block."""

    first: int
    newest: int
    columns: tuple[Any, ...]


class Shard(msgspec.Struct):
    """What is known of one shard."""

    number: int
    watermark: int
    reach: int  # up to where it has said all that is waited for; END when it is not waited for
    upto: int = 0
    first: int = -1  # close time of its first row
    newest: int = -1  # … and of its newest
    trusted: bool = False  # all its symbols have had time to show themselves
    given_up: bool = False  # waited for in vain while it had no symbol
    silent: int = -1  # position behind which it was found silent


class Aligner:
    """Holds rows back until every symbol has reached their instant.

    A symbol has reached an instant when its next candle must lie behind it. A shard that has not spoken, and for
    ``lateness_ms`` of event time one whose symbols may not all be known yet, holds back everything. What a time-out
    gives up on is no longer waited for until it speaks in time again; what it says of instants that have been said is
    taken at the next one. A candle that was made flat is no such word: it says that nothing came.

    The order within an instant is by symbol name, so neither the number of shards nor the order in which they came
    is to be seen in what follows.
    """

    def __init__(self, lateness_ms: int) -> None:
        self.lateness = lateness_ms
        self.symbols: list[str] = []
        self.timeframes: Ints = np.empty(0, np.int64)
        self.shards: dict[str, Shard] = {}
        self._slots: dict[str, int] = {}
        self._home: Ints = np.empty(0, np.int64)  # by symbol: number of the shard that spoke of it last
        self._due: Ints = np.empty(0, np.int64)  # by symbol: close time of its next candle, 0 before its first
        self._quiet: Bools = np.empty(0, np.bool_)
        self._rank: Ints = np.empty(0, np.int64)
        self._maps: dict[str, tuple[tuple[str, ...], Slots]] = {}
        self._held: list[Held] = []
        self._signals: list[Any] = []
        self._newest, self._said = -1, -1

    def push(self, slices: Slices) -> list[Notice]:
        """Take what a shard said. Returns what is odd about it."""
        for name in (*slices.shards, slices.shard):
            if name not in self.shards:
                self.shards[name] = Shard(len(self.shards), self._said, self._said)
        shard = self.shards[slices.shard]
        if slices.cause == "silence":
            if shard.silent == slices.upto:
                return []
            shard.silent = slices.upto
            figures = {"silent_s": slices.waited_ms / 1_000, "last_ts": shard.newest}
            return [Notice("FEED_STALE", max(slices.watermark, 0), slices.shard, shard.upto, None, figures)]
        notices = self._give_up(shard, slices) if slices.cause == "timeout" else self._take_in(shard, slices)
        shard.reach = self._reach(shard)
        return notices

    def _take_in(self, shard: Shard, slices: Slices) -> list[Notice]:
        shard.watermark, shard.upto = max(shard.watermark, slices.watermark), max(shard.upto, slices.upto)
        slot = self._own(shard, slices)
        self._signals.extend(slices.signals)
        if not len(slices):
            return []
        came = slices.came()
        first, newest = int(slices.ts.min()), int(slices.ts.max())
        late = self._late(shard, slices, slot, came) if first <= self._said else []
        # Of several rows of a symbol the last one stays. One that moved may be said out of order by two shards.
        self._due[slot] = np.maximum(self._due[slot], slices.ts + self.timeframes[slot])
        # A row that is late itself wakes nobody: one that is always slower than the wait would hold up every instant.
        self._quiet[slot[came & (slices.ts > self._said)]] = False
        shard.first = shard.first if shard.first >= 0 else int(slices.ts[0])
        shard.newest = max(shard.newest, newest)
        shard.trusted = shard.trusted or shard.newest >= shard.first + self.lateness
        self._newest = max(self._newest, newest)
        columns = (slot, slices.ts, slices.open, slices.high, slices.low, slices.close)
        self._held.append(Held(first, newest, self._sorted(columns)))
        return late

    def _own(self, shard: Shard, slices: Slices) -> Slots:
        """The rows' slots here; symbols that are new get the next ones, and one that comes from elsewhere moves."""
        known = self._maps.get(slices.shard)
        if known is None or known[0] != slices.symbols:
            new = [
                (name, step)
                for name, step in zip(slices.symbols, slices.timeframes.tolist(), strict=True)
                if name not in self._slots
            ]
            for name, _ in new:
                self._slots[name] = len(self.symbols)
                self.symbols.append(name)
            if new:
                self.timeframes = np.append(self.timeframes, [step for _, step in new])
                self._home = np.append(self._home, np.full(len(new), shard.number))
                self._due = np.append(self._due, np.zeros(len(new), np.int64))
                self._quiet = np.append(self._quiet, np.zeros(len(new), np.bool_))
            known = slices.symbols, np.array([self._slots[name] for name in slices.symbols], np.int32)
            self._maps[slices.shard] = known
        slot = known[1][slices.slot]
        if (self._home[slot] != shard.number).any():  # there are more partitions than there were
            self._home[slot] = shard.number
            for one in self.shards.values():
                one.reach = self._reach(one)
        return slot

    def _late(self, shard: Shard, slices: Slices, slot: Slots, came: Bools) -> list[Notice]:
        """A symbol's first rows are never late: nobody could wait for them."""
        late = np.flatnonzero((slices.ts <= self._said) & (self._due[slot] > 0) & came)
        notices = []
        for one in np.unique(slot[late]).tolist():
            ts = slices.ts[late[slot[late] == one]]
            first, last = ts.item(0), ts.item(-1)
            figures = {"candles": len(ts), "first_ts": first, "last_ts": last, "said_ts": self._said}
            notices.append(Notice("CANDLE_LATE", last, slices.shard, shard.upto, self.symbols[one], figures))
        return notices

    def _give_up(self, shard: Shard, slices: Slices) -> list[Notice]:
        """Wait no longer for what has not reached the instant of a time-out."""
        instant = slices.watermark
        if shard.reach >= instant:
            return []  # it came in the meantime, or has been given up on before
        shard.trusted = True
        waited = {"waited_s": slices.waited_ms / 1_000}
        if shard.newest < 0:
            shard.given_up = True
            return [Notice("SHARD_EMPTY", instant, slices.shard, shard.upto, None, waited)]
        own = self._home == shard.number
        missing = np.flatnonzero(own & ~self._quiet & (self._due <= instant))
        self._quiet[missing] = True
        alive = int((own & ~self._quiet).sum())
        if len(missing) and not alive and own.sum() > 1:
            figures = {**waited, "symbols": len(missing), "last_ts": shard.newest}
            return [Notice("FEED_STALE", instant, slices.shard, shard.upto, None, figures)]
        return [
            Notice(
                "SYMBOL_QUIET", instant, slices.shard, shard.upto, self.symbols[slot], waited | self._seen(slot, alive)
            )
            for slot in missing.tolist()
        ]

    def _seen(self, slot: int, alive: int) -> dict[str, Any]:
        due = self._due.item(slot)
        return {"last_ts": due - self.timeframes.item(slot) if due else None, "alive": alive}

    def _reach(self, shard: Shard) -> int:
        if shard.watermark == END:
            return END
        if shard.newest < 0:
            return END if shard.given_up else shard.watermark
        if not shard.trusted:
            return shard.watermark
        due = self._due[(self._home == shard.number) & ~self._quiet]
        return max(shard.watermark, int(due.min(initial=END + 1)) - 1)

    @property
    def said(self) -> int:
        """All instants up to this one have been said."""
        return self._said

    def waiting(self) -> tuple[int, dict[str, int]]:
        """The newest instant that is held back (-1 if none is), and how far each shard is that it waits for."""
        if self._newest <= self._said:
            return -1, {}
        behind = {name: shard.reach for name, shard in self.shards.items() if shard.reach < self._newest}
        return self._newest, behind

    def shortest(self, shard: str) -> int:
        """The shortest timeframe of a shard's symbols, ms; 0 when it has none."""
        own = self.timeframes[self._home == self.shards[shard].number]
        return int(own.min()) if len(own) else 0

    def pop(self) -> Block | None:
        """All that every symbol has reached, or None when that is nothing new."""
        low = min((shard.reach for shard in self.shards.values()), default=-1)
        if low == END and any(shard.watermark != END for shard in self.shards.values()):
            low = self._newest  # nobody is waited for, but some may speak again: this is not the end
        if low <= self._said:
            return None
        before, self._said = self._said, low
        slot, ts, *prices = self._take(low)
        if len(ts) and ts.min() <= before:
            late = ts <= before
            ts = np.where(late, before + 1 if late.all() else ts[~late].min(), ts)
        slot, ts, *prices = self._sorted((slot, ts, *prices))
        signals = sorted((one for one in self._signals if one.ts <= low), key=lambda one: (one.ts, one.symbol))
        self._signals = [one for one in self._signals if one.ts > low]
        open_, high, low_, close = prices
        return Block(tuple(self.symbols), self.timeframes, slot, ts, open_, high, low_, close, tuple(signals), low)

    def _take(self, low: int) -> list[Any]:
        """The held rows up to an instant, part by part as they came; the others stay."""
        taken: list[Any] = [empty_columns()[:6]]
        kept = []
        for held in self._held:
            if held.first > low:
                kept.append(held)
            elif held.newest <= low:
                taken.append(held.columns)
            else:
                cut = int(np.searchsorted(held.columns[1], low, side="right"))
                taken.append(tuple(column[:cut] for column in held.columns))
                rest = tuple(column[cut:] for column in held.columns)
                kept.append(Held(int(rest[1][0]), held.newest, rest))
        self._held = kept
        return [np.concatenate(parts) for parts in zip(*taken, strict=True)]

    def _sorted(self, columns: tuple[Any, ...]) -> tuple[Any, ...]:
        """By instant and then by symbol; what is equal in both keeps its order."""
        slot, ts = columns[:2]
        if len(ts) < 2:
            return columns
        # One integer key keeps it to a single stable sort, which is a merge on what are sorted runs mostly.
        key = ts * len(self.symbols) + self._ranks()[slot]
        if (key[1:] >= key[:-1]).all():
            return columns
        order = np.argsort(key, kind="stable")
        return tuple(column[order] for column in columns)

    def _ranks(self) -> Ints:
        if len(self._rank) != len(self.symbols):
            self._rank = np.argsort(np.argsort(np.array(self.symbols)))
        return self._rank

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "shards": {name: msgspec.structs.astuple(shard) for name, shard in self.shards.items()},
            "symbols": list(self.symbols),
            "columns": (self.timeframes.copy(), self._home.copy(), self._due.copy(), self._quiet.copy()),
            "held": list(self._held),
            "signals": list(self._signals),
            "instants": (self._newest, self._said),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave, into an aligner that has seen nothing."""
        self.shards = {name: Shard(*values) for name, values in state["shards"].items()}
        self.symbols = list(state["symbols"])
        self._slots = {name: slot for slot, name in enumerate(self.symbols)}
        self.timeframes, self._home, self._due, self._quiet = (column.copy() for column in state["columns"])
        self._held, self._signals = list(state["held"]), list(state["signals"])
        self._newest, self._said = state["instants"]
