"""The source of a replay: the candle files of each shard, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.candle_file import CandleSeries
from connectors.shard_reader import ShardReader, ShardSource
from connectors.sharding import ShardColumns, merge
from schemas.batch import CandleBatch

DAY = 86_400_000
Item = tuple[str, CandleBatch]


class CandleReader(ShardReader):
    """Hands over the candles of one shard."""

    def __init__(
        self,
        shard: str,
        columns: ShardColumns,
        row: int,
        batch_rows: int,
        on_rows: Callable[[str, int], None],
        on_durable: Callable[[str, int], None],
    ) -> None:
        self.columns = columns
        self.sources = tuple(series.path.name for series in columns.series)
        self.timeframes = np.array([series.timeframe_ms for series in columns.series], np.int64)
        self.positions = _positions(columns)
        self.odd = np.flatnonzero(_odd(columns))
        super().__init__(shard, len(columns), row, batch_rows, on_rows, on_durable)

    def batch(self, rows: slice, final: bool) -> CandleBatch:
        """Some of the rows."""
        c = self.columns
        low, high = np.searchsorted(self.odd, (rows.start, rows.stop))
        return CandleBatch(
            shard=self.shard,
            symbols=c.symbols,
            sources=self.sources,
            timeframes=self.timeframes,
            slot=c.slot[rows],
            ts=c.ts[rows],
            open=c.open[rows],
            high=c.high[rows],
            low=c.low[rows],
            close=c.close[rows],
            volume=c.volume[rows],
            quote=None if c.quote is None else c.quote[rows],
            position=self.positions[rows],
            raw={int(row) - rows.start: c.raw(int(row)) for row in self.odd[low:high]},
            final=final,
        )


def _odd(c: ShardColumns) -> NDArray[np.bool_]:
    """Rows that the checks are going to refuse, and perhaps a few more: only of these is the text wanted later."""
    odd: NDArray[np.bool_] = (
        ~np.isfinite(c.open + c.high + c.low + c.close + c.volume) | (c.ts < 0) | (c.low <= 0) | (c.volume < 0)
    )
    odd |= (c.open < c.low) | (c.close < c.low) | (c.open > c.high) | (c.close > c.high)
    odd |= c.misquoted()
    begin = np.cumsum([0, *(len(series) for series in c.series[:-1])])
    wrong = np.concatenate([_misplaced(series) for series in c.series])
    odd |= wrong[begin[c.slot] + c.series_row]
    return odd


def _misplaced(series: CandleSeries) -> NDArray[np.bool_]:
    """Rows of one file that are off the grid, or not later than all rows before them."""
    before = np.maximum.accumulate(np.concatenate([[-1], series.ts[:-1]]))
    wrong: NDArray[np.bool_] = series.ts <= before
    if series.timeframe_ms <= DAY:
        wrong |= series.ts % series.timeframe_ms != 0
    return wrong


def _positions(columns: ShardColumns) -> Any:
    lengths = np.array([len(series) for series in columns.series], np.int64)
    backward = np.array([series.reversed for series in columns.series])
    slot, row = columns.slot, columns.series_row
    return np.where(backward[slot], lengths[slot] - row, row + 1)


class CandleSource(ShardSource[CandleSeries]):
    """The candles of each shard, in the order of their times."""

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> CandleReader:  # noqa: ARG002
        """Read the shard's files, and go on where the snapshot was taken."""
        columns = merge(self.load(for_part))
        return CandleReader(for_part, columns, resume_state or 0, self.batch_rows, self.on_rows, self.on_durable)
