"""Slices: what the market stage tells the portfolio stage, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.columns import Floats, Ints, Slots

END = 2**62
"""The watermark of a shard that has said everything."""


@dataclass(frozen=True, slots=True)
class Slices:
    """A run of complete instants of one shard, sorted by instant and then by symbol.

    ``slot`` indexes ``symbols``. ``signals`` are the few :class:`schemas.signal.Signal` among the rows, sorted by
    instant, symbol and the order of the strategies in the configuration. The shard will say nothing more about any
    instant up to ``watermark`` (epoch ms UTC; :data:`END` when it has said everything).
    """

    shard: str
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


def empty_columns() -> tuple[Slots, Ints, Floats, Floats, Floats, Floats]:
    """Columns without a row: slot, ts, open, high, low, close."""
    none = np.empty(0)
    return np.empty(0, np.int32), np.empty(0, np.int64), none, none, none, none
