"""The state machine of one shard: trades in, candles out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np

from flows.bars.admit import Admission, Verdict
from flows.bars.fold import WIDTH, Folded, Trades, by_measure, by_time
from flows.bars.quotes import Quotes
from flows.bars.roll import Roll
from flows.columns import Flags, Floats, Ints, Slots
from flows.module import Module
from schemas.batch import TradeBatch, quote_slot
from schemas.config.market import MarketConfig
from schemas.slices import END
from schemas.timeframe import to_millis

MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a batch: candles with the position of the row that closed them, and by row of the batch its
    verdict and the instant before which everything is closed with it.

    ``quote`` has two columns, bid and ask as known at the close of each candle (NaN: not known); None without any.
    No candle that closes up to ``watermark`` will follow.
    """

    candles: Folded
    position: Ints
    verdict: Flags
    closed: Ints
    watermark: int
    quote: Floats | None = None


class Measured(Module):
    """Candles by how much was traded. State a symbol: the one that is not full, which is none when the trades end."""

    def __init__(self, measure: int, limit: float) -> None:
        self.measure, self.limit = measure, limit
        self.held = self.state(2, dtype=np.int64)
        self.figures = self.state(WIDTH)

    def __call__(self, trades: Sequence[Trades], slots: int) -> Folded:
        """The candles that are full."""
        self.reserve(slots)
        return by_measure(Trades.joined(trades), self.measure, self.limit, self.held, self.figures)


class Bars:
    """Makes candles of the trades of one shard: ``step(batch, slot, slots) -> Made``.

    Trades are held until their grain closes, put in order by time and id, and folded. A grain is the longest time that
    every timeframe and a minute are whole numbers of; candles by measure close with the trade that fills them, so their
    grain is a millisecond. What comes out does not depend on the cut of the batches, nor on the order in which trades
    of an open grain came.
    """

    def __init__(self, config: MarketConfig) -> None:
        bars = config.bars
        self.steps = [to_millis(timeframe) for timeframe in bars.timeframes]
        self.kinds = bars.kinds
        self.grain = gcd(MINUTE, *self.steps) if self.steps else 1
        self.admission = Admission(self.grain, to_millis(bars.allowed_lateness), bars.remember)
        if self.steps:
            flat = config.max_flat if config.empty_candle == "flat" else 0
            self.fold: Roll | Measured = Roll(self.grain, self.steps, flat)
        elif bars.ticks:
            self.fold = Measured(-1, bars.ticks)
        elif bars.volume:
            self.fold = Measured(4, bars.volume)
        else:
            assert bars.quote_volume, "no kind of candle is configured"
            self.fold = Measured(5, bars.quote_volume)
        self.pending, self.quotes = Trades.none(), Quotes(to_millis(config.max_quote_age))
        self._position, self._folded = 0, 0

    def step(self, batch: TradeBatch, slot: Slots, slots: int) -> Made:
        """Take a batch; ``slot`` are its rows' slots here, of so many. Never raises on its content."""
        verdict, closed, ordered = self.admission(batch, slot, slots)
        good = verdict == Verdict.ACCEPTED.value  # numpy would make a wide column of a member of an enum
        came = Trades(slot, batch.ts, batch.price, batch.amount, batch.buy, batch.id)
        held = [self.pending, came if good.all() else came[good]]
        if not ordered:
            held = [Trades.joined(held).in_order()]
        upto = END if batch.final else self.admission.closed
        said = np.flatnonzero(verdict == Verdict.QUOTE.value)
        self.quotes.take(quote_slot(slot[said]), batch.ts[said], said, batch.price[said], batch.amount[said])
        if len(batch):
            self._position = int(batch.position[-1])
        if upto == self._folded:
            self.pending = Trades.joined(held)
            return Made(Folded.room(0), np.empty(0, np.int64), verdict, closed, self._watermark(upto))
        self._folded = upto
        due, rest = zip(*(part.cut(upto) for part in held), strict=True)
        self.pending = Trades.joined(rest)
        candles = self._fold(due, slots, upto, batch.final)
        by = self._closing(candles, closed)
        known = self.quotes.known(candles, by)
        self.quotes.forget(upto)
        position = batch.position if len(batch) else np.array([self._position])
        position = position[np.minimum(by, len(position) - 1)]
        return Made(candles, position, verdict, closed, self._watermark(upto), known)

    def _fold(self, due: Sequence[Trades], slots: int, upto: int, final: bool) -> Folded:
        if isinstance(self.fold, Measured):
            return self.fold(due, slots)
        newest = int(self.admission.time[0]) // self.grain * self.grain
        return self.fold(by_time(due, self.grain, slots), slots, upto, newest if final else upto)

    def _closing(self, candles: Folded, closed: Ints) -> Ints:
        """The row of the batch that closed each one. By measure it was the grain of its last trade that closed."""
        instant = candles.ts
        if not self.steps:
            instant = np.minimum(instant, self._folded)
        return np.searchsorted(closed, instant)

    def _watermark(self, upto: int) -> int:
        if upto == END:
            return END
        return upto // self.steps[0] * self.steps[0] + self.steps[0] - 1 if self.steps else upto

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "admission": self.admission.state_dict(),
            "fold": self.fold.state_dict(),
            "pending": tuple(column.copy() for column in self.pending.columns()),
            "quotes": self.quotes.snapshot(),
            "said": (self._position, self._folded),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.admission.load_state_dict(state["admission"])
        self.fold.load_state_dict(state["fold"])
        self.pending = Trades(*(column.copy() for column in state["pending"]))
        self.quotes.restore(state["quotes"])
        self._position, self._folded = state["said"]
