"""backtesting.py: its event loop calls a strategy's `next` at each candle.

The averages and their crossings are computed at once in `init`, so `next` only looks at the sign of one value: the
fastest way of writing this strategy there. ``simulate`` holds the loop and the statistics that `run` always computes.
A stop is its `sl`: live from the candle of the entry, filled at the stop price or at an open beyond it.
"""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd
import peer
from backtesting import Backtest, Strategy
from crossings import crossings


def make(job: peer.Job) -> type[Strategy]:
    """The strategy of a job."""

    class SmaCross(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            def cross(close: Any) -> Any:
                series = pd.Series(close)
                return crossings(series.rolling(job.fast).mean().to_numpy(), series.rolling(job.slow).mean().to_numpy())

            self.cross = self.I(cross, self.data.Close)

        def next(self) -> None:
            cross = self.cross[-1]
            if cross > 0:
                stop = self.data.Close[-1] * (1 - job.stop) if job.stop else None
                self.buy(size=job.quantity, sl=stop)
            elif cross < 0:
                stop = self.data.Close[-1] * (1 + job.stop) if job.stop else None
                self.sell(size=job.quantity, sl=stop)

    return SmaCross


def once(job: peer.Job, clock: peer.Clock) -> tuple[int, int, list[peer.Trade] | None]:
    """One run: its rows, its orders, and its trades if they are wanted."""
    with clock.phase("read"):
        frame = peer.read(job)
        frame.columns = [name.capitalize() for name in frame.columns]
    with clock.phase("simulate"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that a position is open at the end, which is meant
        test = Backtest(frame, make(job), cash=job.cash, commission=job.fee, exclusive_orders=True)
        stats = test.run()
    table = stats["_trades"]
    trades: list[peer.Trade] | None = None
    if job.trades is not None:
        with clock.phase("trades"):
            table = table.sort_values("EntryTime", kind="stable")
            trades = list(
                zip(
                    peer.millis(table["EntryTime"]).tolist(),
                    peer.millis(table["ExitTime"]).tolist(),
                    ["long" if size > 0 else "short" for size in table["Size"]],
                    [float(abs(size)) for size in table["Size"]],
                    table["EntryPrice"].tolist(),
                    table["ExitPrice"].tolist(),
                    table["PnL"].tolist(),
                    table["Commission"].tolist(),
                    strict=True,
                )
            )
    if job.equity is not None:
        with clock.phase("equity"):
            stats["_equity_curve"]["Equity"].resample("1h").last().to_csv(job.equity)
    return len(frame), len(table), trades


if __name__ == "__main__":
    peer.run("backtesting", once)
