"""The market that the simulated exchanges trade: made from a seed, or taken from a recording."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from connectors.capture import lines
from connectors.exchanges.interface import CANDLE, QUOTE, TRADE
from connectors.exchanges.registry import exchange
from schemas.timeframe import to_millis

MINUTE = 60_000
START = 1_772_370_000_000  # 2026-03-01T13:00:00Z
Record = Any


@dataclass(frozen=True)
class Tape:
    """Trades, quotes and closed 1m candles in the order of their times."""

    records: list[Record]

    @property
    def start(self) -> int:
        """Epoch ms of its first minute."""
        return int(self.records[0].ts) // MINUTE * MINUTE

    @property
    def end(self) -> int:
        """Epoch ms of the last record."""
        return int(self.records[-1].ts)

    def trades(self, symbol: str | None = None) -> list[Record]:
        """Those of a symbol, or all."""
        return [one for one in self.records if isinstance(one, TRADE) and symbol in (None, one.symbol)]

    def candles(self, symbol: str | None = None) -> list[Record]:
        """Those of a symbol, or all."""
        return [one for one in self.records if isinstance(one, CANDLE) and symbol in (None, one.symbol)]


def candles_of(trades: Iterable[Record]) -> list[Record]:
    """Plain Python: the 1m candles of trades with all that an exchange may tell of them, by close time and symbol."""
    ordered = sorted(trades, key=lambda one: (one.symbol, one.ts, int(one.id)))
    made = []
    for (symbol, minute), rows in groupby(ordered, key=lambda one: (one.symbol, one.ts // MINUTE)):
        some = list(rows)
        prices = [one.price for one in some]
        made.append(
            CANDLE(
                symbol=symbol,
                timeframe="1m",
                ts=(minute + 1) * MINUTE,
                open=prices[0],
                high=max(prices),
                low=min(prices),
                close=prices[-1],
                volume=(volume := _total(one.amount for one in some)),
                quote_volume=(value := _total(one.price * one.amount for one in some)),
                count=len(some),
                taker_buy_volume=_total(one.amount for one in some if one.side == "buy"),
                vwap=round(value / volume, 8),
            )
        )
    return sorted(made, key=lambda one: (one.ts, one.symbol))


def longer(candles: Iterable[Record], symbol: str, timeframe: str) -> list[Record]:
    """The candles of a symbol, several made one, by their times."""
    length, made = to_millis(timeframe), []
    mine = sorted((one for one in candles if one.symbol == symbol), key=lambda one: one.ts)
    for number, rows in groupby(mine, key=lambda one: (one.ts - MINUTE) // length):
        some = list(rows)
        value, volume = (_total(getattr(one, name) for one in some) for name in ("quote_volume", "volume"))
        made.append(
            CANDLE(
                symbol=symbol,
                timeframe=timeframe,
                ts=(number + 1) * length,
                open=some[0].open,
                high=max(one.high for one in some),
                low=min(one.low for one in some),
                close=some[-1].close,
                volume=volume,
                quote_volume=value,
                count=sum(one.count for one in some),
                taker_buy_volume=_total(one.taker_buy_volume for one in some),
                vwap=round(value / volume, 8),
            )
        )
    return made


def _total(amounts: Iterable[float]) -> float:
    return round(sum(amounts), 8)


def simulated(
    symbols: Sequence[str], minutes: int = 60, seed: int = 1, every_ms: int = 700, start: int = START
) -> Tape:
    """A walk of prices: a trade of each symbol in about ``every_ms``, some in one ms, now and then none for long.

    ``start`` is the epoch ms of a minute.
    """
    drawn = random.Random(seed)
    records: list[Record] = []
    end = start + minutes * MINUTE
    for at, symbol in enumerate(symbols):
        ts, price, number = start + 50, 100.0 * (at + 1), 1_000 * (at + 1)
        while True:
            ts += int(drawn.expovariate(1 / every_ms)) + (150_000 if drawn.random() < 0.0005 else 0)
            if ts >= end:
                break
            for _ in range(drawn.choice((1, 1, 1, 2, 4))):
                price = round(price * (1 + drawn.gauss(0, 0.0004)), 2)
                amount, side = round(drawn.uniform(0.001, 3), 5), drawn.choice(("buy", "sell"))
                records.append(TRADE(symbol=symbol, ts=ts, id=str(number), price=price, amount=amount, side=side))
                number += 1
            if drawn.random() < 0.2:
                size = round(drawn.uniform(1, 9), 3)
                quote = {"bid": round(price - 0.01, 2), "ask": round(price + 0.01, 2), "bid_size": size}
                records.append(QUOTE(symbol=symbol, ts=ts, **quote, ask_size=size))
    records += candles_of(records_of(records))
    return Tape(sorted(records, key=lambda one: one.ts))


def recorded(path: Path, name: str) -> Tape:
    """The trades and quotes of a recording of an exchange."""
    parser, found = exchange(name).parser(), []
    for line in lines(path):
        assert isinstance(line.said, bytes)
        found += [one for one in parser.parse(line.said, line.ns) if isinstance(one, TRADE | QUOTE)]
    found += candles_of(records_of(found))
    return Tape(sorted(found, key=lambda one: one.ts))


def records_of(some: Iterable[Record]) -> list[Record]:
    """The trades among records."""
    return [one for one in some if isinstance(one, TRADE)]
