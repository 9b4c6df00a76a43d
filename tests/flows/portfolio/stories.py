"""Small markets for the tests of the portfolio stage: candles and wishes by minute, settings by dotted key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from flows.columns import Ints
from flows.outbox import Outbox, new_outbox
from flows.portfolio.account import Account
from flows.portfolio.align import Aligner, Block
from flows.portfolio.stage import PortfolioStage
from schemas.config.root import Config
from schemas.ids import event_id
from schemas.record import Mode
from schemas.signal import Signal
from schemas.slices import END, Slices
from schemas.wire import encode, wire

Side = Literal["long", "short", "flat"]
MINUTE = 60_000
START = 1_640_995_200_000  # 2022-01-01T00:00:00Z
BTC, ETH, SOL = "BTC/USDT", "ETH/USDT", "SOL/USDT"
SHARD = "shard-0000"

PLAIN: dict[str, Any] = {
    "portfolio.cash": "10000",
    "portfolio.currency": "USDT",
    "portfolio.leverage": 125,
    "instruments.default.tick": "0.01",
    "instruments.default.lot": "0.001",
    "instruments.default.min_notional": "0",
    "risk.sizing": "fixed_quantity",
    "risk.quantity": "1",
    "risk.max_position_pct": 1e9,
    "risk.max_gross_exposure_pct": 1e9,
    "risk.max_risk_pct": 100.0,
    "risk.min_reward_to_risk": 0,
    "exits.require_target": False,
    "broker.fee_pct": 0,
}
"""One unit at a time, without fees and caps: what a test is about, it sets."""

SignalRow = wire(Signal)


def settings(changes: Mapping[str, Any] | None = None) -> Config:
    """PLAIN with some keys changed: ``settings({"broker.fee_pct": 0.1})``."""
    tree: dict[str, Any] = {}
    for dotted, value in {**PLAIN, **(changes or {})}.items():
        *sections, key = dotted.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = {**place.get(key, {}), **value} if isinstance(value, dict) else value
    return Config.model_validate(tree)


class Row(NamedTuple):
    """A candle that closes at a minute."""

    minute: int
    open: float
    high: float
    low: float
    close: float
    symbol: str = BTC


def at(minute: int) -> int:
    """Epoch ms of a minute."""
    return START + minute * MINUTE


def minute_of(ts: int) -> int:
    """The inverse of :func:`at`."""
    return (ts - START) // MINUTE


def flat(minutes: Iterable[int], price: float, symbol: str = BTC) -> list[Row]:
    """Candles at which nothing moves."""
    return [Row(minute, price, price, price, price, symbol) for minute in minutes]


def wish(
    minute: int,
    side: Side,
    price: float,
    stop: float | None = None,
    target: float | None = None,
    *,
    symbol: str = BTC,
    strategy: str = "a",
    missing: int = 0,
    mode: Mode = "live",
    share_pct: float | None = None,
) -> Any:
    """The signal of a strategy at the close of the candle of that minute, which must be ``price``."""
    return SignalRow(
        id=event_id(strategy, symbol, at(minute), "signal"),
        ts=at(minute),
        symbol=symbol,
        timeframe="1m",
        strategy=strategy,
        version="1.0.0",
        mode=mode,
        side=side,
        price=price,
        stop=stop,
        target=target,
        confidence=1.0,
        missing=missing,
        reason=f"{side} because the story says so",
        values={},
        share_pct=share_pct,
    )


def slices(
    rows: Sequence[Row], wishes: Sequence[Any] = (), shard: str = SHARD, watermark: int = END, first: int = 0
) -> Slices:
    """What a shard says, as the market stage would: rows as they came, from position ``first`` on."""
    names = tuple(dict.fromkeys(row.symbol for row in rows))
    open_, high, low, close = (np.array([row[i] for row in rows], np.float64) for i in (1, 2, 3, 4))
    ts: Ints = np.array([at(row.minute) for row in rows], np.int64)
    slot = np.array([names.index(row.symbol) for row in rows], np.int32)
    places = {(at(row.minute), row.symbol): number for number, row in enumerate(rows)}
    raised = [(places[one.ts, one.symbol], one) for one in wishes]
    said = sorted(raised, key=lambda found: (found[0], found[1].strategy))
    steps: Ints = np.full(len(names), MINUTE, np.int64)
    position: Ints = np.arange(first, first + len(rows))
    return Slices(
        shard=shard,
        shards=(shard,),
        symbols=names,
        timeframes=steps,
        slot=slot,
        ts=ts,
        open=open_,
        high=high,
        low=low,
        close=close,
        position=position,
        signals=tuple(signal for _, signal in said),
        signal_row=tuple(row for row, _ in said),
        upto=first + len(rows),
        watermark=watermark,
    )


def among(shards: Iterable[str], parts: Iterable[Slices]) -> list[Slices]:
    """The same slices from shards that know of each other."""
    return [replace(part, shards=tuple(shards)) for part in parts]


def block(rows: Sequence[Row], wishes: Sequence[Any] = ()) -> Block:
    """Complete instants, as they come out of the alignment; symbols have slots in the order of their names."""
    aligner = Aligner(MINUTE)
    aligner.push(slices(sorted(rows, key=lambda row: (row.minute, row.symbol)), wishes))
    found = aligner.pop()
    assert found is not None
    return found


def rows_of(found: Block | None) -> list[tuple[int, str, float]]:
    """(minute, symbol, close) of each row."""
    assert found is not None
    names = [found.symbols[slot] for slot in found.slot.tolist()]
    return list(zip(map(minute_of, found.ts.tolist()), names, found.close.tolist(), strict=True))


def trade(config: Config, rows: Sequence[Row], wishes: Sequence[Any] = ()) -> tuple[Account, Outbox]:
    """One account through a whole story, in one block."""
    account, outbox = Account(config), new_outbox()
    given = block(rows, wishes)
    account.fold(given, given.signals, outbox)
    return account, outbox


def stage_of(config: Config, said: Iterable[Slices]) -> Outbox:
    """All records of a portfolio stage that is told these slices one after the other."""
    return tell(PortfolioStage(config), said)


def tell(stage: PortfolioStage, said: Iterable[Slices]) -> Outbox:
    """All records of a stage, in one outbox."""
    outbox = new_outbox()
    for part in said:
        for topic, records in stage.step(part).items():
            outbox[topic].extend(records)
    return outbox


def wired(outbox: Outbox) -> dict[str, list[bytes]]:
    """The records as they leave, by topic."""
    return {topic: [encode(record) for record in records] for topic, records in outbox.items() if records}


def fields(records: Iterable[Any], *names: str) -> list[tuple[Any, ...]]:
    """Some fields of records; decimals as text, times as minutes."""

    def shown(name: str, value: Any) -> Any:
        if name in ("ts", "candle_ts", "entry_ts", "exit_ts") and value is not None:
            return minute_of(value)
        return str(value) if isinstance(value, Decimal) else value

    return [tuple(shown(name, getattr(record, name)) for name in names) for record in records]


def checked(order: Any) -> dict[str, dict[str, Any]]:
    """What each gate let an order through on, as on the wire."""
    return dict(msgspec.to_builtins(order.checks))


def fills(outbox: Outbox) -> list[tuple[Any, ...]]:
    """(minute of the candle's close, strategy, leg, side, quantity, price, fee) of each fill."""
    return fields(outbox["fills"], "ts", "strategy", "leg", "side", "quantity", "price", "fee")
