"""The candles that all sides get, as messages, and the signals that all of them have to give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from connectors.simulated import MarketMinutes, MarketSpec, SimulatedMarket
from connectors.simulated_spec import SimulatedSymbol
from schemas.candle import Candle
from schemas.wire import encode, wire

FAST, SLOW = 10, 20
TICK, LOT = Decimal("0.5"), Decimal("0.001")
Signal = tuple[str, int, str]
"""Symbol, close of the candle, long or short."""


@dataclass(frozen=True)
class Feed:
    """Candles in the order of their times: ``values[i]`` is the message of symbol ``i % symbols``, minute by minute."""

    symbols: tuple[str, ...]
    ts: list[int]
    values: list[bytes]
    signals: list[Signal]

    def __len__(self) -> int:
        return len(self.values)

    def head(self, rows: int | None) -> Feed:
        """The first whole minutes of at most so many rows; None: all."""
        if rows is None or rows >= len(self):
            return self
        minutes = rows // len(self.symbols)
        signals = [one for one in self.signals if one[1] <= self.ts[minutes - 1]]
        return Feed(self.symbols, self.ts[:minutes], self.values[: minutes * len(self.symbols)], signals)

    def count(self, minutes: int) -> int:
        """How many signals the first minutes give."""
        end = self.ts[minutes - 1]
        return sum(ts <= end for _, ts, _ in self.signals)


def simulated(symbols: int, minutes: int, seed: int = 7) -> Feed:
    """A simulated market. Prices lie on a grid of 0.5, so that sums of closes are exact for everybody: two averages
    are equal for one side exactly when they are for all.
    """
    each = tuple(
        SimulatedSymbol(f"S{number:04}/USDT", 1_000.0 + 10 * number, TICK, LOT, 0.8, 1_000.0)
        for number in range(symbols)
    )
    market = SimulatedMarket(MarketSpec(each, seed=seed)).next(minutes)
    return Feed(market.symbols, market.ts.tolist(), _messages(market), _signals(market))


def difference(wanted: Iterable[Signal], got: Iterable[Signal]) -> str | None:
    """None when both are the same signals, each as often; else the first few that are missing or too many.

    >>> difference([("A", 1, "long"), ("B", 1, "short")], [("B", 1, "short"), ("A", 1, "long")])
    >>> difference([("A", 1, "long")], [("A", 1, "long"), ("A", 1, "long")])
    "0 signals missing: []; 1 too many: [('A', 1, 'long')]"
    """
    should, has = Counter(wanted), Counter(got)
    if should == has:
        return None
    missing, more = sorted((should - has).elements()), sorted((has - should).elements())
    return f"{len(missing)} signals missing: {missing[:3]}; {len(more)} too many: {more[:3]}"


def _messages(market: MarketMinutes) -> list[bytes]:
    make = wire(Candle)
    columns = [c.ravel().tolist() for c in (market.open, market.high, market.low, market.close, market.volume)]
    names = list(market.symbols) * len(market)
    times = np.repeat(market.ts, len(market.symbols)).tolist()
    return [
        encode(make(symbol=symbol, timeframe="1m", ts=ts, open=o, high=h, low=low, close=c, volume=v))
        for symbol, ts, o, h, low, c, v in zip(names, times, *columns, strict=True)
    ]


def _signals(market: MarketMinutes) -> list[Signal]:
    """The crossings, from cumulative sums: another way than that of any side."""
    sums = np.cumsum(np.vstack([np.zeros((1, len(market.symbols))), market.close]), axis=0)
    fast = (sums[FAST:] - sums[:-FAST])[SLOW - FAST :] * SLOW
    slow = (sums[SLOW:] - sums[:-SLOW]) * FAST
    sides = np.sign(fast - slow).astype(np.int8)
    found = []
    for column, symbol in enumerate(market.symbols):
        at = np.flatnonzero(sides[:, column])
        turned = at[1:][np.diff(sides[at, column]) != 0]
        found += [
            (symbol, int(market.ts[row + SLOW - 1]), "long" if sides[row, column] > 0 else "short") for row in turned
        ]
    return found
