"""Trades for the tests of candles made of them: written by hand, drawn, or real ones; and a plain second opinion."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from flows.bars.admit import Verdict
from flows.bars.bars import Bars
from schemas.batch import CLOCK_SLOT, TradeBatch, quote_slot
from schemas.config.market import MarketConfig

NAMES = ("B/USDT", "A/USDT")
MINUTE = 60_000


@dataclass(frozen=True)
class Row:
    """A trade; or, by its ``slot``, a clock or a quote."""

    ts: int
    id: int = 0
    slot: int = 0
    price: float = 10.0
    amount: float = 1.0
    buy: bool = True


def clock(ts: int) -> Row:
    return Row(ts, slot=CLOCK_SLOT)


def quote(ts: int, bid: float, ask: float, slot: int = 0) -> Row:
    return Row(ts, 0, quote_slot(slot), bid, ask, buy=False)


def batch(rows: Sequence[Row], first: int = 1, *, final: bool = False, **more: Any) -> TradeBatch:
    """Rows as a source hands them over; ``first`` is the position of the first of them."""
    kinds = {
        "slot": np.int32,
        "ts": np.int64,
        "price": np.float64,
        "amount": np.float64,
        "buy": np.bool_,
        "id": np.int64,
    }
    columns: dict[str, Any] = {
        name: np.array([getattr(row, name) for row in rows], kind) for name, kind in kinds.items()
    }
    position = np.arange(first, first + len(rows))
    given: dict[str, Any] = {"symbols": NAMES, "sources": ("b.csv", "a.csv"), "position": position, **columns, **more}
    return TradeBatch("shard-0000", final=final, **given)


@dataclass
class Seen:
    """All that came of a tape: candles with their positions, their quotes (None: not known), and verdicts by row."""

    candles: list[tuple[Any, ...]]
    quotes: list[tuple[float, float] | None]
    verdicts: list[int]

    def kind(self, wanted: int) -> list[tuple[Any, ...]]:
        return [one for one in self.candles if one[1] == wanted]


def through(rows: Sequence[Row], cuts: Iterable[int] = (), restart: bool = False, **market: Any) -> Seen:
    """The tape through the state machine, cut in places and, if wanted, taken up from a snapshot at each cut."""
    config = MarketConfig(**market)
    machine, seen = Bars(config), Seen([], [], [])
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for begin, end in pairwise(edges):
        if restart:
            state = machine.snapshot()
            machine = Bars(config)
            machine.restore(state)
        part = batch(rows[begin:end], begin + 1, final=end == len(rows) and begin == edges[-2])
        made = machine.step(part, part.slot, len(NAMES))
        c = made.candles
        sums = (c.total(figure) for figure in (4, 5, 6))
        columns = (c.slot, c.kind, c.ts, made.position, c.count, *c.figures.T[:4], *sums)
        seen.candles += zip(*(column.tolist() for column in columns), strict=True)
        seen.quotes += [None] * len(c) if made.quote is None else map(_pair, made.quote.tolist())
        seen.verdicts += made.verdict.tolist()
    return seen


def _pair(quote: Sequence[float]) -> tuple[float, float] | None:
    return None if math.isnan(quote[0]) else (quote[0], quote[1])


def plainly(rows: Sequence[Row], step: int, slot: int = 0) -> list[tuple[Any, ...]]:
    """Candles by time of one symbol in plain Python, sums exact: close, count, o, h, l, c, volume, quote, bought."""
    found: dict[int, list[Row]] = {}
    for row in sorted((row for row in rows if row.slot == slot), key=lambda row: (row.ts, row.id)):
        found.setdefault((row.ts // step + 1) * step, []).append(row)
    return [
        (
            ts,
            len(inside),
            inside[0].price,
            max(row.price for row in inside),
            min(row.price for row in inside),
            inside[-1].price,
            _digits(Decimal(str(row.amount)) for row in inside),
            _digits(Decimal(str(row.amount)) * Decimal(str(row.price)) for row in inside),
            _digits(Decimal(str(row.amount)) for row in inside if row.buy),
        )
        for ts, inside in sorted(found.items())
    ]


def _digits(values: Iterable[Decimal]) -> float:
    return float(f"{sum(values, Decimal()):.15g}")


def figures(candles: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Candles of the state machine in the form of :func:`plainly`."""
    return [(c[2], *c[4:]) for c in candles]


def kraken(folder: Path) -> list[Row]:
    """Kraken's recorded trades of XBT/USD."""
    answer = json.loads((folder / "kraken/http_trades.json").read_text())["result"]["XBTUSDT"]
    return [
        Row(int(Decimal(str(ts)) * 1_000), number, 0, float(price), float(amount), side == "b")
        for price, amount, ts, side, _, _, number in answer
    ]


def binance(folder: Path) -> list[Row]:
    """The trades of the recorded Binance stream, in the order in which they were received."""
    rows = []
    with gzip.open(folder / "binance-ws/btcusdt_20240808.gz") as lines:
        for line in lines:
            data = json.loads(line.split(b" ", 1)[1]).get("data", {})
            if data.get("e") == "trade":
                rows.append(Row(data["T"], data["t"], 0, float(data["p"]), float(data["q"]), not data["m"]))
    return rows


def counts(seen: Seen) -> dict[str, int]:
    """How many rows had which verdict."""
    return {verdict.name: n for verdict in Verdict if (n := seen.verdicts.count(verdict))}
