"""Random markets for properties: candles with gaps and holes, wishes of two strategies, and any settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from flows.portfolio.stage import PortfolioStage
from schemas.command import Command
from schemas.config.root import Config
from schemas.ids import event_id
from schemas.slices import END, Slices
from tests.flows.portfolio.stories import BTC, ETH, SOL, Row, Side, at, settings, slices, wish

CHOICES: dict[str, list[Any]] = {
    "portfolio.cash": ["500", "10000", "123456.78"],
    "portfolio.leverage": [1, 3, 125],
    "instruments.default.tick": ["0.01", "0.5", "0.00000001"],
    "instruments.default.lot": ["0.001", "1", "0.00000001"],
    "instruments.default.min_quantity": ["0", "0.5"],
    "instruments.default.min_notional": ["0", "10", "300"],
    "risk.sizing": ["risk", "risk", "fixed_quantity", "fixed_notional", "volatility_target", "kelly", "lot_tiers"],
    "risk.target_vol_pct": [100.0],
    "risk.vol_span": [2, 5],
    "risk.kelly_min_trades": [1, 2],
    "risk.kelly_trades": [3],
    "risk.lot_tiers": [[{"equity": 0, "quantity": 0.5}, {"equity": 10_000, "quantity": 2}]],
    "risk.strategy_scale": [{}, {}, {"a": 0.3}],
    "risk.per_trade_pct": [0.1, 0.5, 5.0],
    "risk.over_cap": ["shrink", "refuse"],
    "risk.max_position_pct": [10.0, 40.0, 1e6],
    "risk.max_gross_exposure_pct": [25.0, 100.0, 1e6],
    "risk.max_open_positions": [1, 2, 10],
    "risk.max_risk_pct": [2.0, 0.3, 100.0],
    "risk.max_leverage": [None, 0.8],
    "risk.max_symbol_exposure_pct": [None, 30.0],
    "risk.groups": [{}, {"majors": [BTC, ETH]}],
    "risk.max_net_exposure_pct": [None, 20.0],
    "risk.cooldown": [None, None, "3m"],
    "risk.max_orders": [None, None, 2],
    "risk.order_window": ["5m"],
    "risk.max_daily_loss_pct": [None, 1.0],
    "risk.max_lifetime_loss_pct": [None, 5.0],
    "risk.max_var_pct": [None, None, 1.0],
    "risk.var_method": ["historical", "parametric"],
    "risk.var_sample": ["2m"],
    "risk.var_window": [3],
    "risk.var_min_samples": [1],
    "risk.min_reward_to_risk": [0.0, 1.0],
    "breakers.drawdown.max_pct": [None, None, 0.5],
    "breakers.drawdown.action": ["block", "reduce", "halt", "close"],
    "breakers.drawdown.share_pct": [50.0, 10.0, 90.0],
    "breakers.drawdown.reset": ["5m"],
    "breakers.daily_loss.max_pct": [None, None, 1.0],
    "breakers.consecutive_losses.most": [None, None, 2],
    "breakers.consecutive_losses.scope": ["portfolio", "strategy", "symbol"],
    "breakers.consecutive_losses.action": ["block", "reduce", "close"],
    "breakers.consecutive_losses.reset": ["3m", "command"],
    "breakers.stale_data.after": [None, None, "1m"],
    "breakers.order_rate.most": [None, None, 1],
    "breakers.order_rate.reset": ["2m", "day"],
    "entries.type": ["market", "market", "limit", "stop"],
    "entries.by": ["percent", "atr"],
    "entries.at": [0.3],
    "entries.candles": [1, 3],
    "entries.additions": [0, 0, 2],
    "exits.ladder": [[], [], [{"share_pct": 30, "at": 0.5}, {"share_pct": 30, "by": "percent", "at": 1.5}]],
    "exits.dual.stop_money": [None, None, "20"],
    "risk.atr_period": [2],
    "exits.stop": ["signal", "signal", "percent", "atr"],
    "exits.target": ["signal", "signal", "reward", "percent", "atr"],
    "exits.require_target": [False, False, True],
    "exits.break_even_at": [None, None, 0.5],
    "exits.break_even_after": [None, None, 1],
    "exits.trail": ["none", "none", "percent", "atr", "chandelier"],
    "exits.trail_at": [1.5],
    "exits.time_candles": [None, None, 1, 4],
    "own": [{}, {}, {"time_candles": 2}, {"trail": "none", "ladder": [], "stop": "percent"}, {"trail": "percent"}],
    "broker.fill_at": ["next_open", "next_open", "close"],
    "broker.fee_pct": [0.0, 0.05, 0.1],
    "broker.slippage_pct": [0.0, 0.02, 1.0],
    "market.empty_candle": ["none", "stale"],
    "run.equity_every": ["1m", "5m", "1h"],
}


@dataclass(frozen=True)
class Market:
    """What a run of the portfolio stage depends on."""

    changes: Mapping[str, Any]
    rows: Sequence[Row]
    wishes: Sequence[Any]
    commands: Sequence[Command] = ()

    def stage(self, modes: Mapping[str, str] | None = None) -> PortfolioStage:
        """The portfolio that trades it, and obeys its commands."""
        return PortfolioStage(self.config(modes), commands=self.commands)

    @property
    def minutes(self) -> list[int]:
        """The instants."""
        return sorted({row.minute for row in self.rows})

    @property
    def symbols(self) -> list[str]:
        """All of them."""
        return sorted({row.symbol for row in self.rows})

    def config(self, modes: Mapping[str, str] | None = None) -> Config:
        """Its settings, with the modes of its strategies."""
        modes = modes or {"a": "live", "b": "live"}
        own = {"a": self.changes.get("own", {})}
        strategies = [
            {"use": "sma_cross", "name": name, "mode": mode, "exits": own.get(name, {})} for name, mode in modes.items()
        ]
        shared = {key: value for key, value in self.changes.items() if key != "own"}
        return settings({**shared, "strategies": strategies})

    def part(self, low: int, high: int, symbols: Iterable[str], shard: str, watermark: int | None = None) -> Slices:
        """What a shard with these symbols says of the minutes in ``(low, high]``."""
        names = set(symbols)
        rows = [row for row in self.rows if low < row.minute <= high and row.symbol in names]
        wishes = [one for one in self.wishes if at(low) < one.ts <= at(high) and one.symbol in names]
        return slices(rows, wishes, shard, at(high) if watermark is None else watermark)

    def by_instant(self) -> list[Slices]:
        """One shard that says one instant at a time, and then that this was all."""
        minutes = self.minutes
        parts = [self.part(n - 1, n, self.symbols, "shard-0000") for n in minutes]
        return [*parts, slices([], shard="shard-0000", watermark=END)]


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Up to three symbols, six to twenty-four instants; prices in cents, moving by up to a few percent."""
    changes = {key: draw(st.sampled_from(values)) for key, values in CHOICES.items()}
    symbols = [BTC, ETH, SOL][: draw(st.integers(1, 3))]
    last = dict.fromkeys(symbols, 10_000)
    rows: list[Row] = []
    wishes: list[Any] = []
    minute = draw(st.integers(1, 1439))
    for _ in range(draw(st.integers(6, 24))):
        for symbol in symbols:
            if draw(st.integers(0, 5)) == 5:
                continue  # no candle of this symbol
            row = draw(candles(minute, symbol, last[symbol]))
            last[symbol] = round(row.close * 100)
            rows.append(row)
            wishes.extend(one for name in ("a", "b") if (one := draw(wants(row, name))) is not None)
        minute += draw(st.sampled_from([1, 1, 1, 2, 30, 700]))
    return Market(changes, rows, wishes)


@st.composite
def candles(draw: st.DrawFn, minute: int, symbol: str, last: int) -> Row:
    """The next candle of a symbol."""
    open_ = max(1_000, last + draw(st.sampled_from([0, 0, 0, 7, -7, 400, -400])))
    close = max(1_000, open_ + draw(st.integers(-300, 300)))
    high = max(open_, close) + draw(st.integers(0, 200))
    low = min(open_, close) - draw(st.integers(0, 200))
    return Row(minute, open_ / 100, high / 100, low / 100, close / 100, symbol)


@st.composite
def wants(draw: st.DrawFn, row: Row, strategy: str) -> Any:
    """Mostly nothing; else a wish, seldom one without a stop or with one on the wrong side."""
    side: Side | None = draw(st.sampled_from([None, None, None, "long", "short", "flat"]))
    if side is None:
        return None
    if side == "flat":
        share_pct = draw(st.sampled_from([None, None, 50.0, 25.0, 99.0]))
        return wish(row.minute, "flat", row.close, symbol=row.symbol, strategy=strategy, share_pct=share_pct)
    sign = 1 if side == "long" else -1
    stop = draw(st.sampled_from([150, 33, 320, 500, 151, 240, 410, 90, 1200, -100, None]))
    target = draw(st.sampled_from([None, None, 151, 500, 700, 320, 40, -10]))
    return wish(
        row.minute,
        side,
        row.close,
        None if stop is None else row.close - sign * stop / 100,
        None if target is None else row.close + sign * target / 100,
        symbol=row.symbol,
        strategy=strategy,
        missing=draw(st.sampled_from([0, 0, 0, 0, 0, 0, 0, 2])),
    )


CHANGED = (
    *("risk.max_open_positions=1", "risk.max_open_positions=10", "risk.max_gross_exposure_pct=20"),
    *("risk.max_position_pct=5", "risk.max_risk_pct=0.2", "risk.per_trade_pct=5", "risk.over_cap=refuse"),
    *("risk.cooldown=3m", "risk.max_symbol_exposure_pct=10", "risk.strategy_scale={a: 0.2}", "risk.sizing=risk"),
    *("breakers.drawdown.max_pct=0.1", "breakers.order_rate.most=1", "breakers.consecutive_losses.action=close"),
    *("exits.ladder=[{share_pct: 50, at: 0.4}]", "exits.break_even_at=0.2", "exits.time_candles=2", "exits.trail=none"),
    *("exits.dual.stop_money=10", "risk.min_reward_to_risk=0.5", "exits.trail_at=0.5", "exits.require_target=true"),
)
FREE: dict[str, Any] = {
    "portfolio.cash": "1000000",
    "instruments.default.min_quantity": "0",
    "exits.target": "signal",
    "exits.require_target": False,
    "entries.by": "percent",
    "risk.sizing": "risk",
    "risk.max_open_positions": 10,
    "risk.max_orders": None,
    "risk.max_var_pct": None,
    "risk.max_net_exposure_pct": None,
    "breakers.stale_data.after": None,
}
"""With few gates in the way clicks are carried out, and so may be carried out twice."""
NAMES = (
    *("click", "click", "click", "click", "pause", "reduce", "halt", "resume", "resume", "close", "close all", "again"),
    *("set", "set", "mode", "mode", "reset", "alarm", "nonsense"),
)


@st.composite
def commanded_markets(draw: st.DrawFn) -> Market:
    """The same, with commands behind some of the instants: clicks with few ids, so that some are double."""
    market = draw(markets())
    given: list[Command] = []
    for minute in market.minutes:
        for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
            given += draw(orders_of_people(market, minute, given))
    rules = {
        "commands.senders": {"ann": ["*"]},
        "commands.intents_expire": draw(st.sampled_from(["2m", "1h"])),
        "commands.max_age": draw(st.sampled_from(["2m", "7d"])),
        "breakers.divergence.alarms": draw(st.sampled_from([None, 1, 2])),
        "breakers.divergence.action": draw(st.sampled_from(["block", "halt", "close"])),
    }
    free = FREE if draw(st.booleans()) else {}
    return replace(market, changes={**market.changes, **free, **rules}, commands=given)


@st.composite
def orders_of_people(draw: st.DrawFn, market: Market, minute: int, before: Sequence[Command]) -> list[Command]:
    """A command, or two that belong together."""
    name, ts = draw(st.sampled_from(NAMES)), at(minute) + draw(st.sampled_from([0, 1, 30_000, 59_999]))
    ts = max([ts, *(one.ts for one in before[-1:])])
    if name == "again" and before:
        return [before[-1].model_copy(update={"ts": ts})]
    symbol = draw(st.sampled_from([*market.symbols, *market.symbols, SOL]))
    place = draw(st.sampled_from([{}, {"symbol": symbol}, {"strategy": "a"}, {"strategy": "manual"}]))
    given: dict[str, Any] = {}
    if name == "click":
        name = draw(st.sampled_from(["buy", "sell"]))
        closes = [row.close for row in market.rows if row.symbol == symbol and row.minute <= minute]
        sign, last = 1 if name == "buy" else -1, (closes or [100.0])[-1]
        stop = round(last * (1 - sign * draw(st.sampled_from([0.01, 0.03, 0.1, -0.01]))), 2)
        given = {"symbol": symbol, "stop": stop, "intent": draw(st.sampled_from("xyz"))}
    elif name in ("pause", "reduce", "halt", "resume"):
        wait = draw(st.sampled_from([{}, {"for": "1m"}, {"for": "3m"}]))
        share = draw(st.sampled_from([{}, {"share_pct": 40}])) if name == "reduce" else {}
        given = {**place, **(wait if name != "resume" else {}), **share}
    elif name == "close":
        given = {**(place or {"symbol": symbol}), "share_pct": draw(st.sampled_from([100, 100, 50, 7]))}
    elif name == "set":
        some = draw(st.lists(st.sampled_from(CHANGED), min_size=1, max_size=2))
        given = dict(one.split("=", 1) for one in some)
    elif name == "mode":
        given = {"strategy": draw(st.sampled_from("ab")), "mode": draw(st.sampled_from(["live", "shadow"]))}
    elif name == "reset":
        given = {"breaker": draw(st.sampled_from(["drawdown", "consecutive_losses", "order_rate", "divergence"]))}
    elif name == "alarm":
        given = {"what": "a figure"}

    def one(number: int, word: str, arguments: dict[str, Any]) -> Command:
        return Command(id=f"c{number}", ts=ts, portfolio="main", sender="ann", name=word, arguments=arguments)

    first = one(len(before), name.split()[0], given)
    if name in ("buy", "sell") and draw(st.booleans()):
        return [first, one(len(before) + 1, draw(st.sampled_from([name, "buy"])), given)]
    if name != "close all" and (name != "reduce" or place or "share_pct" not in given):
        return [first]
    return [first, one(len(before) + 1, "confirm", {"token": event_id("main", first.id, "token")[:8]})]
