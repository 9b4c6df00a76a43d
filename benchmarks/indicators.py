"""Nanoseconds a candle of every indicator, and of a whole strategy's columns, at large and at smallest batches.

    python benchmarks/indicators.py

Candles are one symbol's, simulated with a fixed seed and cut beforehand, so that only the modules are timed. Each
figure is the median of several runs after a first run that compiles and warms up. Lengths are those of the table.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter_ns
from typing import Any

import numpy as np

from flows.columns import Candles
from flows.indicators.adx import ADX
from flows.indicators.atr import ATR, TrueRange
from flows.indicators.bollinger import Bollinger
from flows.indicators.cci import CCI
from flows.indicators.donchian import Donchian
from flows.indicators.ema import EMA
from flows.indicators.extremes import Highest
from flows.indicators.higher import Higher
from flows.indicators.keltner import Keltner
from flows.indicators.macd import MACD
from flows.indicators.obv import OBV
from flows.indicators.rma import RMA
from flows.indicators.roc import ROC
from flows.indicators.rsi import RSI
from flows.indicators.slope import Slope
from flows.indicators.sma import SMA
from flows.indicators.stdev import Stdev
from flows.indicators.stochastic import Stochastic
from flows.indicators.supertrend import Supertrend
from flows.indicators.swings import Swings
from flows.indicators.vwap import VWAP
from flows.indicators.wma import WMA
from flows.indicators.zscore import ZScore
from flows.strategies.sma_atr import SmaAtr
from flows.strategies.sma_cross import SmaCross

LARGE = 10_000
RUNS = 7
MEASURED: dict[str, Callable[[], Callable[[Candles], Any]]] = {
    "SMA(20)": lambda: SMA(20),
    "EMA(20)": lambda: EMA(20),
    "WMA(20)": lambda: WMA(20),
    "RMA(14)": lambda: RMA(14),
    "Stdev(20)": lambda: Stdev(20),
    "Bollinger(20)": lambda: Bollinger(20),
    "ZScore(20)": lambda: ZScore(20),
    "Slope(14)": lambda: Slope(14),
    "RSI(14)": lambda: RSI(14),
    "Stochastic(14, 3, 3)": lambda: Stochastic(14, 3, 3),
    "MACD(12, 26, 9)": lambda: MACD(12, 26, 9),
    "ROC(10)": lambda: ROC(10),
    "TrueRange()": TrueRange,
    "ATR(14)": lambda: ATR(14),
    "ADX(14)": lambda: ADX(14),
    "CCI(20)": lambda: CCI(20),
    "Highest(20)": lambda: Highest(20),
    "Donchian(20)": lambda: Donchian(20),
    "Keltner(20, 10)": lambda: Keltner(20, 10),
    "Supertrend(10)": lambda: Supertrend(10),
    "OBV()": OBV,
    "VWAP(1d)": VWAP,
    "Swings(2)": lambda: Swings(2),
    "Higher(1h, EMA(20))": lambda: Higher("1h", EMA(20)),
    "sma_cross 10/20: indicators plus signal": lambda: SmaCross(SmaCross.Params(fast=10, slow=20)).on_candles,
    "sma_atr 20/50: indicators plus signal": lambda: SmaAtr(SmaAtr.Params()).on_candles,
}


def simulated(rows: int) -> Candles:
    """A random walk around 40,000 with ranges and volumes, the same every time."""
    draw = np.random.default_rng(20_220_131)
    close = 40_000.0 * np.exp(np.cumsum(draw.normal(0.0, 5e-4, rows)))
    open_ = np.concatenate([close[:1], close[:-1]])
    reach = np.abs(draw.normal(0.0, 10.0, (2, rows)))
    ts = 60_000 * np.arange(1, rows + 1, dtype=np.int64)
    high, low = np.maximum(open_, close) + reach[0], np.minimum(open_, close) - reach[1]
    return Candles(np.zeros(rows, np.int32), 1, ts, open_, high, low, close, draw.random(rows))


def nanoseconds(make: Callable[[], Callable[[Candles], Any]], batches: list[Candles]) -> float:
    """Median time a candle, over runs of a new module through all batches."""
    rows = sum(len(batch) for batch in batches)
    times = []
    for _ in range(RUNS + 1):
        module = make()
        start = perf_counter_ns()
        for batch in batches:
            module(batch)
        times.append((perf_counter_ns() - start) / rows)
    return median(times[1:])


def measure() -> list[dict[str, str | float]]:
    """A row for each module: its name, and nanoseconds a candle at batches of 10,000 rows and of one."""
    candles = simulated(20 * LARGE)
    large = [candles[at : at + LARGE] for at in range(0, len(candles), LARGE)]
    small = [candles[at : at + 1] for at in range(2000)]
    return [
        {"module": name, f"ns_at_{LARGE}": nanoseconds(make, large), "ns_at_1": nanoseconds(make, small)}
        for name, make in MEASURED.items()
    ]


def main() -> None:
    """Print the table."""
    width = max(map(len, MEASURED))
    print(f"{'nanoseconds a candle':{width}}  batches of {LARGE:,}  batches of 1")
    for row in measure():
        print(f"{row['module']:{width}}  {row[f'ns_at_{LARGE}']:17.1f}  {row['ns_at_1']:12,.0f}")


if __name__ == "__main__":
    main()
