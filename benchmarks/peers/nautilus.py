"""nautilus_trader: its `BacktestEngine` with a bar-by-bar strategy on its own indicators.

A market order sent when a bar has closed is filled at that bar's close, at once: with bars alone, the engine has no
way of filling it at the next open. So its trades are compared with penstock's under `broker.fill_at=close`. Its event
loop is otherwise left as it comes, with logging off. ``read`` makes its `Bar` objects, ``simulate`` runs the engine.
"""

from __future__ import annotations

from decimal import Decimal

import peer
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TraderId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual, Instrument
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy


class SmaCrossConfig(StrategyConfig, frozen=True):
    """Lengths and amount of the cross."""

    bar_type: BarType
    fast: int
    slow: int
    quantity: Decimal


class SmaCross(Strategy):  # type: ignore[misc]
    """Long when the fast average comes to lie above the slow one, short when it comes to lie below."""

    def __init__(self, config: SmaCrossConfig) -> None:
        super().__init__(config)
        self.fast = SimpleMovingAverage(config.fast)
        self.slow = SimpleMovingAverage(config.slow)
        self.side = 0
        self.invested = False

    def on_start(self) -> None:
        self.instrument = self.cache.instrument(self.config.bar_type.instrument_id)
        self.one = self.instrument.make_qty(self.config.quantity)
        self.two = self.instrument.make_qty(2 * self.config.quantity)
        self.register_indicator_for_bars(self.config.bar_type, self.fast)
        self.register_indicator_for_bars(self.config.bar_type, self.slow)
        self.subscribe_bars(self.config.bar_type)

    def on_bar(self, _bar: Bar) -> None:
        if not self.slow.initialized or not self.fast.initialized:
            return
        fast, slow = self.fast.value, self.slow.value
        now = 1 if fast > slow else (-1 if fast < slow else 0)
        if now == 0:
            return
        if self.side == -now:
            side = OrderSide.BUY if now > 0 else OrderSide.SELL
            quantity = self.two if self.invested else self.one  # one order reverses
            self.submit_order(self.order_factory.market(self.instrument.id, side, quantity))
            self.invested = True
        self.side = now


def perpetual(fee: float) -> Instrument:
    """An instrument without any limit that could refuse an order."""
    return CryptoPerpetual(
        instrument_id=InstrumentId(Symbol("BTCUSDT-PERP"), Venue("SIM")),
        raw_symbol=Symbol("BTCUSDT"),
        base_currency=BTC,
        quote_currency=USDT,
        settlement_currency=USDT,
        is_inverse=False,
        price_precision=3,
        size_precision=3,
        price_increment=Price.from_str("0.001"),
        size_increment=Quantity.from_str("0.001"),
        ts_event=0,
        ts_init=0,
        margin_init=Decimal("0.01"),
        margin_maint=Decimal("0.005"),
        maker_fee=Decimal(str(fee)),
        taker_fee=Decimal(str(fee)),
    )


def closed_trades(engine: BacktestEngine, quantity: float, step_ns: int) -> list[peer.Trade]:
    """Round trips, made of the filled orders: a position that one order reverses keeps no record of its past.

    The order of a reversal ends one trade and starts the next, so its fee counts half to each.
    """
    orders = sorted(engine.cache.orders_closed(), key=lambda order: order.ts_last)
    prices = [order.avg_px for order in orders]
    times = [(order.ts_last - step_ns) // 1_000_000 for order in orders]
    fees = [sum(float(money) for money in order.commissions()) for order in orders]
    trades: list[peer.Trade] = []
    for i in range(len(orders) - 1):
        side = 1 if orders[i].side == OrderSide.BUY else -1
        paid = fees[i] * (0.5 if i else 1.0) + fees[i + 1] / 2
        pnl = side * (prices[i + 1] - prices[i]) * quantity - paid
        name = "long" if side > 0 else "short"
        trades.append((times[i], times[i + 1], name, quantity, prices[i], prices[i + 1], pnl, paid))
    return trades


def once(job: peer.Job, clock: peer.Clock) -> tuple[int, int, list[peer.Trade] | None]:
    """One run: its rows, its orders, and its trades if they are wanted."""
    instrument = perpetual(job.fee)
    bar_type = BarType.from_str(f"{instrument.id}-1-MINUTE-LAST-EXTERNAL")
    with clock.phase("read"):
        frame = peer.read(job)
        step = frame.index[1] - frame.index[0]
        frame.index = frame.index.tz_localize("UTC") + step  # a bar's time is its close
        bars = BarDataWrangler(bar_type, instrument).process(frame)
    engine = BacktestEngine(
        BacktestEngineConfig(trader_id=TraderId("BENCH-001"), logging=LoggingConfig(bypass_logging=True))
    )
    engine.add_venue(
        venue=Venue("SIM"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=USDT,
        starting_balances=[Money(job.cash, USDT)],
        default_leverage=Decimal(125),
    )
    engine.add_instrument(instrument)
    engine.add_data(bars)
    engine.add_strategy(
        SmaCross(SmaCrossConfig(bar_type=bar_type, fast=job.fast, slow=job.slow, quantity=Decimal(str(job.quantity))))
    )
    with clock.phase("simulate"):
        engine.run()
    with clock.phase("records"):
        closed = closed_trades(engine, job.quantity, step.value)
    engine.dispose()
    return len(frame), len(closed), closed if job.trades is not None else None


if __name__ == "__main__":
    peer.run("nautilus_trader", once, fills="at the close of the signal's candle")
