"""Alignment of the shards by event time: one stream in a canonical order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.columns import Floats, Ints, Slots
from flows.slices import Slices, empty_columns


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


class Aligner:
    """Holds back what some shards have said until all have reached that instant.

    The order within an instant is by symbol name, so neither the number of shards nor the order in which they came
    is to be seen in what follows.
    """

    def __init__(self, shards: Sequence[str]) -> None:
        self.watermarks = dict.fromkeys(sorted(shards), -1)
        self.symbols: list[str] = []
        self.timeframes: Ints = np.empty(0, np.int64)
        self._slots: dict[str, int] = {}
        self._queues: dict[str, list[Slices]] = {shard: [] for shard in self.watermarks}
        self._said = -1

    def push(self, slices: Slices) -> None:
        """Take what a shard said. Raises KeyError for a shard that was not announced."""
        self._queues[slices.shard].append(slices)
        self.watermarks[slices.shard] = slices.watermark
        for name, step in zip(slices.symbols, slices.timeframes.tolist(), strict=True):
            if name not in self._slots:
                self._slots[name] = len(self.symbols)
                self.symbols.append(name)
                self.timeframes = np.append(self.timeframes, step)

    def pop(self) -> Block | None:
        """All that every shard has reached, or None when that is nothing new."""
        low = min(self.watermarks.values())
        if low <= self._said:
            return None
        self._said = low
        columns: list[Any] = [empty_columns()]
        signals: list[Any] = []
        sources = 0
        for shard, queue in self._queues.items():
            rest: list[Slices] = []
            taken = 0
            for slices in queue:
                done, left = _split(slices, low)
                if done is not None:
                    taken = 1
                    slots = np.array([self._slots[name] for name in done.symbols], np.int32)
                    columns.append((slots[done.slot], done.ts, done.open, done.high, done.low, done.close))
                    signals.extend(done.signals)
                if left is not None:
                    rest.append(left)
            sources += taken
            self._queues[shard] = rest
        slot, ts, *prices = (np.concatenate(parts) for parts in zip(*columns, strict=True))
        if sources > 1:
            rank = np.argsort(np.argsort(np.array(self.symbols)))
            # One integer key keeps it to a single stable sort, which is a merge on what are sorted runs already.
            order = np.argsort(ts * len(rank) + rank[slot], kind="stable")
            slot, ts, prices = slot[order], ts[order], [column[order] for column in prices]
            signals.sort(key=lambda signal: (signal.ts, signal.symbol))
        open_, high, low_, close = prices
        return Block(tuple(self.symbols), self.timeframes, slot, ts, open_, high, low_, close, tuple(signals), low)

    def snapshot(self) -> dict[str, Any]:
        """All state."""
        return {
            "watermarks": dict(self.watermarks),
            "symbols": list(self.symbols),
            "timeframes": self.timeframes.copy(),
            "queues": {shard: list(queue) for shard, queue in self._queues.items()},
            "said": self._said,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.watermarks, self.symbols = dict(state["watermarks"]), list(state["symbols"])
        self.timeframes, self._said = state["timeframes"].copy(), state["said"]
        self._slots = {name: slot for slot, name in enumerate(self.symbols)}
        self._queues = {shard: list(queue) for shard, queue in state["queues"].items()}


def _split(slices: Slices, low: int) -> tuple[Slices | None, Slices | None]:
    """The part up to an instant, and the part after it."""
    if slices.watermark <= low:
        return (slices, None) if len(slices) else (None, None)
    cut = int(np.searchsorted(slices.ts, low, side="right"))
    if cut == 0:
        return None, slices
    signals = sum(1 for signal in slices.signals if signal.ts <= low)
    return _part(slices, slice(0, cut), slices.signals[:signals]), _part(
        slices, slice(cut, None), slices.signals[signals:]
    )


def _part(s: Slices, rows: slice, signals: tuple[Any, ...]) -> Slices | None:
    if not len(s.ts[rows]):
        return None
    columns = (s.slot[rows], s.ts[rows], s.open[rows], s.high[rows], s.low[rows], s.close[rows])
    return Slices(s.shard, s.symbols, s.timeframes, *columns, signals, s.watermark)
