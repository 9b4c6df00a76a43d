"""nautilus_trader from trades to candles of a minute: the internal aggregation of its engine.

    python nautilus_trades.py TRADES.parquet FRAMES.ndjson ROWS

A strategy subscribes to bars that the engine makes of trade ticks; it only keeps them. The clock of ``1m`` runs over
`engine.run()` alone: the ticks are made before it. That of ``frames`` runs from raw frames: decoding and making ticks
as its Binance adapter does, then the same. One line of JSON, as trade_sides.py prints it.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import nautilus_trader
import pandas as pd
from nautilus import perpetual
from nautilus_trader.adapters.binance.spot.schemas.market import BinanceSpotTradeMsg
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import Bar, BarType, TradeTick
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.wranglers import TradeTickDataWrangler
from nautilus_trader.trading.strategy import Strategy


class Keep(Strategy):  # type: ignore[misc]
    """Keeps the bars that are made."""

    def __init__(self, bar_type: BarType) -> None:
        super().__init__()
        self.wanted, self.bars = bar_type, list[Bar]()

    def on_start(self) -> None:
        self.subscribe_bars(self.wanted)

    def on_bar(self, bar: Bar) -> None:
        self.bars.append(bar)


def aggregate(ticks: list[TradeTick]) -> tuple[float, list[tuple[float, ...]]]:
    """Seconds of the engine, and the bars."""
    instrument = perpetual(0.0)
    engine = BacktestEngine(
        BacktestEngineConfig(trader_id=TraderId("BENCH-001"), logging=LoggingConfig(bypass_logging=True))
    )
    engine.add_venue(
        venue=Venue("SIM"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=USDT,
        starting_balances=[Money(1_000_000, USDT)],
        default_leverage=Decimal(125),
    )
    engine.add_instrument(instrument)
    engine.add_data(ticks)
    keep = Keep(BarType.from_str(f"{instrument.id}-1-MINUTE-LAST-INTERNAL"))
    engine.add_strategy(keep)
    began = perf_counter()
    engine.run()
    took = perf_counter() - began
    found = [
        (bar.ts_event // 1_000_000, *(float(str(one)) for one in (bar.open, bar.high, bar.low, bar.close, bar.volume)))
        for bar in keep.bars
        if float(bar.volume)
    ]
    engine.dispose()
    return took, found


def main() -> None:
    """Trades to candles by its own aggregation."""
    trades, frames, rows = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    instrument = perpetual(0.0)
    table = pd.read_parquet(trades).iloc[:rows]
    frame = pd.DataFrame(
        {
            "price": table["price"].to_numpy(),
            "quantity": table["amount"].to_numpy(),
            "buyer_maker": ~table["buy"].to_numpy(),
            "trade_id": table["id"].astype(str).to_numpy(),
        },
        index=pd.to_datetime(table["ts"].to_numpy(), unit="ms", utc=True),
    )
    seconds: dict[str, Any] = {}
    seconds["1m"], candles = aggregate(TradeTickDataWrangler(instrument).process(frame))
    lines = frames.read_bytes().splitlines()
    decoder = msgspec.json.Decoder(BinanceSpotTradeMsg)
    began = perf_counter()
    # It makes bars by the time of reception: with that of the trade, its bars are those of event time.
    ticks = [decoder.decode(text.partition(b" ")[2]).data.parse_to_trade_tick(instrument.id) for text in lines]
    made = perf_counter() - began
    seconds["parse"] = made
    took, of_frames = aggregate(ticks)
    seconds["frames"] = made + took
    version = f"nautilus_trader {nautilus_trader.__version__}"
    told = {"rows": rows, "frames": len(lines), "seconds": seconds, "version": version}
    print(json.dumps({**told, "candles": candles, "candles of frames": of_frames}))


if __name__ == "__main__":
    main()
