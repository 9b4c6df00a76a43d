"""A bare compiled loop, as the limit: averages, crossing, fills, stop and P&L in one pass, with nothing recorded.

Only the closed trades are kept, as numbers in arrays. There are no orders, no checks, no equity, no portfolio.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import peer
import pyarrow.parquet as pq
from numba import njit


@njit(cache=True)
def loop(opened: Any, high: Any, low: Any, close: Any, fast: int, slow: int, stop: float) -> tuple[Any, Any, Any, Any]:
    """Entry and exit rows, signed entry prices (negative: short), exit prices of the closed trades."""
    count = len(close)
    entry_row, exit_row = np.empty(count, np.int64), np.empty(count, np.int64)
    entry_price, exit_price = np.empty(count), np.empty(count)
    trades, side, position, wanted, entered = 0, 0, 0, 0, 0
    price = protect = next_protect = fast_sum = slow_sum = 0.0
    for i in range(count):
        if wanted != 0:
            if position != 0:
                entry_row[trades], entry_price[trades] = entered, position * price
                exit_row[trades], exit_price[trades] = i, opened[i]
                trades += 1
            position, price, entered, protect, wanted = wanted, opened[i], i, next_protect, 0
        if position != 0 and stop > 0 and (low[i] <= protect if position > 0 else high[i] >= protect):
            entry_row[trades], entry_price[trades] = entered, position * price
            exit_row[trades] = i
            exit_price[trades] = min(opened[i], protect) if position > 0 else max(opened[i], protect)
            trades += 1
            position = 0
        fast_sum += close[i] - (close[i - fast] if i >= fast else 0.0)
        slow_sum += close[i] - (close[i - slow] if i >= slow else 0.0)
        if i >= slow - 1 and i >= fast - 1:
            a, b = fast_sum / fast, slow_sum / slow
            now = 1 if a > b else (-1 if a < b else 0)
            if now != 0:
                if side == -now:
                    wanted = now
                    next_protect = close[i] * (1 - now * stop)
                side = now
    return entry_row[:trades], exit_row[:trades], entry_price[:trades], exit_price[:trades]


def once(job: peer.Job, clock: peer.Clock) -> tuple[int, int, list[peer.Trade] | None]:
    """One run: its rows, its orders, and its trades if they are wanted."""
    with clock.phase("read"):
        table = pq.read_table(job.candles)
        date, *prices = (table.column(name).to_numpy() for name in ("date", "open", "high", "low", "close"))
    with clock.phase("simulate"):
        entered, left, entry, leave = loop(*prices, job.fast, job.slow, job.stop or 0.0)
        side = np.sign(entry)
        entry = np.abs(entry)
        fees = (entry + leave) * job.quantity * job.fee
        pnl = side * (leave - entry) * job.quantity - fees
    trades: list[peer.Trade] | None = None
    if job.trades is not None:
        with clock.phase("trades"):
            trades = list(
                zip(
                    date[entered].tolist(),
                    date[left].tolist(),
                    ["long" if s > 0 else "short" for s in side],
                    [job.quantity] * len(entry),
                    entry.tolist(),
                    leave.tolist(),
                    pnl.tolist(),
                    fees.tolist(),
                    strict=True,
                )
            )
    return table.num_rows, len(entry), trades


if __name__ == "__main__":
    peer.run("numba", once)
