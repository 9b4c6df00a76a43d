"""Flat candles for the minutes in which nothing was traded."""

from __future__ import annotations

from typing import Any

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.kernel import kernel
from flows.module import Module


@kernel
def _fill(
    slot: Slots,
    ts: Ints,
    close: Floats,
    step: Ints,
    last_ts: Ints,
    last_close: Floats,
    run: Ints,
    newest: Ints,
    limit: int,
    lateness: int,
    row: Ints,
    at: Ints,
    price: Floats,
) -> int:
    """List the rows of the filled stream: ``row`` is the real row's index, or -1 - slot for a flat candle.

    Counts only when ``row`` is empty, and then leaves the state to the caller's copies.
    """
    count = 0
    write = len(row) > 0
    for i in range(len(ts)):
        t = ts[i]
        if t > newest[0]:
            newest[0] = t
            for s in range(len(step)):
                # A candle this late would be refused, so nothing can come for these any more.
                while last_ts[s] >= 0 and last_ts[s] + step[s] < t - lateness and run[s] < limit:
                    last_ts[s] += step[s]
                    run[s] += 1
                    if write:
                        row[count], at[count], price[count] = -1 - s, last_ts[s], last_close[s]
                    count += 1
        s = slot[i]
        while last_ts[s] >= 0 and last_ts[s] + step[s] < t and run[s] < limit:
            last_ts[s] += step[s]
            run[s] += 1
            if write:
                row[count], at[count], price[count] = -1 - s, last_ts[s], last_close[s]
            count += 1
        if write:
            row[count], at[count], price[count] = i, t, close[i]
        count += 1
        last_ts[s], last_close[s], run[s] = t, close[i], 0
    return count


class Fill(Module):
    """Makes a flat candle (open = high = low = close = last close, volume 0) for each missing one.

    It comes when it can no longer arrive: when its symbol's next candle is there, or the newest candle of the shard
    is ``lateness_ms`` past it. After ``limit`` flat candles in a row a symbol sleeps until it trades again.
    """

    def __init__(self, lateness_ms: int, limit: int) -> None:
        self.lateness, self.limit = lateness_ms, limit
        self.last_ts = self.state(dtype=np.int64, fill=-1)
        self.last_close = self.state()
        self.run = self.state(dtype=np.int64)
        self.newest = self.state(dtype=np.int64, fill=-1)  # of the shard, in row 0

    def __call__(self, candles: Candles, missing: Ints, step: Ints) -> tuple[Candles, Ints, Ints]:
        """The stream with its flat candles in place; by row, the number still missing before it, and the row that
        came: itself, or the one that made clear that it is missing.
        """
        self.reserve(candles.slots)
        c = candles
        none = np.empty(0, np.int64)
        count = self._pass(c, step, [array.copy() for array in self._arrays()], (none, none, np.empty(0)))
        row, at, price = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count)
        if count:
            self._pass(c, step, self._arrays(), (row, at, price))
        # Also without a flat candle in this batch: those of a hole may have come in batches before it.
        unfilled = np.maximum(missing - self.limit, 0)
        if count == len(c):
            return c, unfilled, np.arange(count)
        real = row >= 0
        take = np.where(real, row, 0)
        slot = np.where(real, c.slot[take], -1 - row).astype(np.int32)
        open_, high, low, close = (np.where(real, column[take], price) for column in (c.open, c.high, c.low, c.close))
        volume = np.where(real, c.volume[take], 0.0)
        quote = None if c.quote is None else np.where(real[:, None], c.quote[take], np.nan)
        left = np.zeros(count, np.int64)
        left[real] = unfilled
        came = np.minimum.accumulate(np.where(real, row, count)[::-1])[::-1]
        return Candles(slot, c.slots, at, open_, high, low, close, volume, quote), left, came

    def _arrays(self) -> list[Any]:
        return [self.last_ts, self.last_close, self.run, self.newest]

    def _pass(self, c: Candles, step: Ints, arrays: list[Any], out: tuple[Ints, Ints, Floats]) -> int:
        last_ts, last_close, run, newest = arrays
        row, at, price = out
        return _fill(
            c.slot, c.ts, c.close, step, last_ts, last_close, run, newest, self.limit, self.lateness, row, at, price
        )
