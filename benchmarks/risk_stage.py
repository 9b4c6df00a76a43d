"""The portfolio stage alone: how many orders a second it decides and fills, plain and with every rule on.

`python benchmarks/risk_stage.py` prints JSON: seconds by round, and how many orders they were for.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from flows.portfolio.stage import PortfolioStage
from schemas.config.root import Config
from schemas.ids import event_id
from schemas.signal import Signal
from schemas.slices import END, Slices
from schemas.wire import wire

SYMBOL, MINUTE, START = "BTC/USDT", 60_000, 1_640_995_200_000
ROWS, BATCH, EVERY = 60_000, 4_000, 5
"""A candle a minute, in batches; every fifth one turns the position around, which is two orders."""

PLAIN: dict[str, Any] = {
    "portfolio": {"cash": "1000000000", "currency": "USDT"},
    "run": {"equity_every": "1h"},
}
RULES: dict[str, Any] = {
    "sessions": ["mon-sun 00:00-24:00"],
    "cooldown": "1m",
    "min_confidence": 0.1,
    "strategy_scale": {"a": 0.9},
    "scale_by_confidence": True,
    "scale_by_consensus": True,
    "max_leverage": 5.0,
    "max_symbol_exposure_pct": 1_000.0,
    "groups": {"majors": [SYMBOL]},
    "max_group_exposure_pct": 1_000.0,
    "max_net_exposure_pct": 1_000.0,
    "max_orders": 1_000,
    "max_daily_loss_pct": 99.0,
    "max_lifetime_loss_pct": 99.9,
    "max_var_pct": 100.0,
    "var_sample": "5m",
    "var_min_samples": 1,
}
QUOTED: dict[str, Any] = {"max_spread_bps": 1_000.0, "max_spread_of_stop": 1.0}
"""The gate that needs a quote at each signal."""
BREAKERS: dict[str, Any] = {
    "drawdown": {"max_pct": 99.0},
    "daily_loss": {"max_pct": 99.0},
    "consecutive_losses": {"most": 1_000_000},
    "losses": {"most": 1_000_000},
    "volatility": {"times": 1_000.0},
    "slippage": {"max_pct": 99.0},
    "rejections": {"max_pct": 100.0},
    "stale_data": {"after": "52w"},
    "order_rate": {"most": 1_000_000},
    "divergence": {"alarms": 1_000_000},
}
"""With these, every gate, multiplier and breaker, each wide enough to let everything through: the same orders, and all
the work."""

SignalRow = wire(Signal)


def market() -> list[Slices]:
    """What a shard says of a random walk."""
    rng = np.random.default_rng(1)
    close = 10_000 * np.exp(np.cumsum(rng.normal(0, 5e-4, ROWS)))
    open_ = np.concatenate((close[:1], close[:-1]))
    columns = (open_, np.maximum(open_, close) * 1.0002, np.minimum(open_, close) * 0.9998, close)
    ts = START + MINUTE * np.arange(1, ROWS + 1)
    signals = dict(_signals(ts.tolist(), close.tolist()))
    return [_part(begin, min(begin + BATCH, ROWS), ts, columns, signals) for begin in range(0, ROWS, BATCH)]


def _signals(ts: list[int], close: list[float]) -> Iterator[tuple[int, Any]]:
    for turn, row in enumerate(range(4 * EVERY, ROWS, EVERY)):
        side = 1 if turn % 2 else -1
        yield (
            row,
            SignalRow(
                id=event_id("a", SYMBOL, ts[row], "signal"),
                ts=ts[row],
                symbol=SYMBOL,
                timeframe="1m",
                strategy="a",
                version="1",
                mode="live",
                side="long" if side > 0 else "short",
                price=close[row],
                stop=close[row] * (1 - side * 0.02),
                target=close[row] * (1 + side * 0.04),
                confidence=0.9,
                missing=0,
                reason="its turn",
                values={"consensus": 9},
                bid=close[row] * 0.9999,
                ask=close[row] * 1.0001,
            ),
        )


def _part(begin: int, end: int, ts: Any, columns: tuple[Any, ...], signals: dict[int, Any]) -> Slices:
    rows = [row for row in range(begin, end) if row in signals]
    open_, high, low, close = (column[begin:end] for column in columns)
    return Slices(
        shard="shard-0000",
        shards=("shard-0000",),
        symbols=(SYMBOL,),
        timeframes=np.array([MINUTE]),
        slot=np.zeros(end - begin, np.int32),
        ts=ts[begin:end],
        open=open_,
        high=high,
        low=low,
        close=close,
        position=np.arange(begin, end),
        signals=tuple(signals[row] for row in rows),
        signal_row=tuple(row - begin for row in rows),
        upto=end,
        watermark=END if end == ROWS else int(ts[end - 1]),
    )


def once(config: Config, parts: list[Slices]) -> tuple[float, int]:
    """(seconds, orders) of one stage through the whole market. What it says is dropped, as behind it in a run."""
    stage = PortfolioStage(config)
    orders = 0
    begun = time.process_time()
    for part in parts:
        orders += len(stage.step(part)["orders"])
    return time.process_time() - begun, orders


def measure(rounds: int) -> dict[str, Any]:
    """All rounds, in turns, in this process."""
    sides = {
        "plain": Config.model_validate(PLAIN),
        "all": Config.model_validate({**PLAIN, "risk": {**RULES, **QUOTED}, "breakers": BREAKERS}),
    }
    parts = market()
    for config in sides.values():
        once(config, parts)  # compiled, and cached
    gc.freeze()
    gc.set_threshold(200_000)  # as in a run: flows/process.py
    found: dict[str, Any] = {name: [] for name in sides}
    orders = 0
    for _ in range(rounds):
        for name, config in sides.items():
            seconds, orders = once(config, parts)
            found[name].append(seconds)
    return {**found, "orders": orders}


if __name__ == "__main__":
    print(json.dumps(measure(5)))
