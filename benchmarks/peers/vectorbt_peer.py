"""vectorbt: `Portfolio.from_signals`, which is one compiled loop over the candles.

Without a stop, a row is a candle: the signals are shifted by one row and filled at that row's open.

With a stop that plain use has other rules: a stop is not looked at in the candle of the entry, and in the candle that
follows a signal the stop comes before the reversal at the open. So each candle becomes two rows: its open (where
signals are filled; its prices are the last close, so no stop is looked at) and the rest of it (where vectorbt's own
stop logic runs, gap at the open included). ``sl_stop`` counts from the fill, so it is given for each row such that the
stop lies where the signal's close puts it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import peer
import vectorbt as vbt
from crossings import crossings
from vectorbt.portfolio.enums import TradeDirection, TradeStatus


def plain(job: peer.Job, frame: pd.DataFrame, signal: Any) -> Any:
    """The portfolio of one row a candle."""
    fill = np.concatenate(([0], signal[:-1]))
    return vbt.Portfolio.from_signals(
        frame["close"],
        entries=fill > 0,
        short_entries=fill < 0,
        price=frame["open"],
        size=job.quantity,
        fees=job.fee,
        init_cash=job.cash,
        freq="1min",
    )


def stopped(job: peer.Job, frame: pd.DataFrame, signal: Any) -> Any:
    """The portfolio of two rows a candle, with stops."""
    assert job.stop is not None
    count = len(frame)
    last = np.concatenate(([frame["open"].iloc[0]], frame["close"].to_numpy()[:-1]))
    fill = np.zeros(2 * count, np.int8)
    fill[2::2] = signal[:-1]
    stop = np.full(2 * count, np.nan)
    side = np.where(fill[0::2] > 0, 1.0, -1.0)
    at_open = frame["open"].to_numpy()
    stop[0::2] = np.maximum(side * (1 - last * (1 - side * job.stop) / at_open), 0.0)
    rows = {}
    for name in ("open", "high", "low", "close"):
        rows[name] = np.empty(2 * count)
        rows[name][0::2] = last
        rows[name][1::2] = frame[name].to_numpy()
    index = frame.index.repeat(2) + pd.to_timedelta(np.tile([0, 1], count), unit="ns")
    return vbt.Portfolio.from_signals(
        pd.Series(rows["close"], index),
        entries=fill > 0,
        short_entries=fill < 0,
        price=np.repeat(at_open, 2),
        open=rows["open"],
        high=rows["high"],
        low=rows["low"],
        sl_stop=stop,
        stop_entry_price="Price",
        stop_exit_price="StopMarket",
        size=job.quantity,
        fees=job.fee,
        init_cash=job.cash,
        freq="30s",
    )


def once(job: peer.Job, clock: peer.Clock) -> tuple[int, int, list[peer.Trade] | None]:
    """One run: its rows, its orders, and its trades if they are wanted."""
    with clock.phase("read"):
        frame = peer.read(job)
    with clock.phase("signals"):
        fast = vbt.MA.run(frame["close"], job.fast).ma.to_numpy()
        slow = vbt.MA.run(frame["close"], job.slow).ma.to_numpy()
        signal = crossings(fast, slow)
    with clock.phase("simulate"):
        portfolio = plain(job, frame, signal) if job.stop is None else stopped(job, frame, signal)
    with clock.phase("records"):
        table = portfolio.trades.values  # the plain records: records_readable would take two seconds to name them
        closed = table[table["status"] == TradeStatus.Closed]
    trades: list[peer.Trade] | None = None
    if job.trades is not None:
        with clock.phase("trades"):
            date = peer.millis(portfolio.wrapper.index)
            fees = closed["entry_fees"] + closed["exit_fees"]
            trades = list(
                zip(
                    date[closed["entry_idx"]].tolist(),
                    date[closed["exit_idx"]].tolist(),
                    ["long" if way == TradeDirection.Long else "short" for way in closed["direction"]],
                    closed["size"].tolist(),
                    closed["entry_price"].tolist(),
                    closed["exit_price"].tolist(),
                    closed["pnl"].tolist(),
                    fees.tolist(),
                    strict=True,
                )
            )
    if job.equity is not None:
        with clock.phase("equity"):
            portfolio.value().resample("1h").last().to_csv(job.equity)
    return len(frame), len(closed), trades


if __name__ == "__main__":
    peer.run("vectorbt", once)
