"""Tapes: recorded trades of any number of symbols as columns; clocks and quotes between them where there are any."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.batch import NO_SLOT, renumbering

Ints = NDArray[np.int64]
COLUMNS = ("slot", "ts", "price", "amount", "buy", "id", "position", "source")


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Rows in the order in which they came; ``slot`` indexes ``symbols``, but for clocks and quotes.

    The columns are as in :class:`schemas.batch.TradeBatch`; ``source`` says which of ``paths`` a row is of, and
    ``raws``, one for each path, give the row at a position as it came. Nothing has been checked but that cells are
    numbers: what could not be read is NaN, a time -1.
    """

    paths: tuple[str, ...]
    raws: tuple[Callable[[int], str], ...]
    sha256: str
    symbols: tuple[str, ...]
    slot: NDArray[np.int32]
    ts: Ints
    price: NDArray[np.float64]
    amount: NDArray[np.float64]
    buy: NDArray[np.bool_]
    id: Ints
    position: Ints
    source: NDArray[np.int32]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ts)

    def __getitem__(self, rows: NDArray[np.bool_] | Ints) -> Tape:
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in COLUMNS}
        return replace(self, **columns)

    def trades(self, symbol: str) -> int:
        """How many rows a symbol has."""
        return int((self.slot == self.symbols.index(symbol)).sum())

    def only(self, wanted: Collection[str]) -> Tape:
        """The rows of some symbols, and all clocks. The symbols are in the order of their names then."""
        names = sorted(name for name in self.symbols if name in wanted)
        slots = renumbering([names.index(name) if name in names else NO_SLOT for name in self.symbols])
        slot = slots[self.slot]
        kept = replace(self, symbols=tuple(names), slot=slot)
        return kept if (slot != NO_SLOT).all() else kept[slot != NO_SLOT]


def merge(tapes: Sequence[Tape]) -> Tape:
    """Several tapes as one, in the order of event time; each keeps its own order. Ties: in the order of ``tapes``."""
    if len(tapes) == 1:
        return tapes[0]
    symbols = tuple(sorted({name for tape in tapes for name in tape.symbols}))
    columns: dict[str, list[Any]] = {name: [getattr(tape, name) for tape in tapes] for name in COLUMNS}
    maps = [renumbering([symbols.index(name) for name in tape.symbols]) for tape in tapes]
    columns["slot"] = [slots[tape.slot] for slots, tape in zip(maps, tapes, strict=True)]
    begin = np.cumsum([0, *(len(tape.paths) for tape in tapes)])
    columns["source"] = [tape.source + np.int32(first) for first, tape in zip(begin, tapes, strict=False)]
    reached = np.concatenate([np.maximum.accumulate(tape.ts) for tape in tapes])
    whole: dict[str, Any] = {name: np.concatenate(parts) for name, parts in columns.items()}
    paths = tuple(path for tape in tapes for path in tape.paths)
    raws = tuple(raw for tape in tapes for raw in tape.raws)
    return Tape(paths, raws, "", symbols, **whole)[np.argsort(reached, kind="stable")]
