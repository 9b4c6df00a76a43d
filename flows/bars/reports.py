"""What is told of trades and the candles made of them: candles, dead letters, metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from flows.bars.admit import Verdict, table
from flows.bars.bars import Made
from flows.columns import Slots
from flows.market.reports import MetricRow, row_letter
from flows.outbox import Outbox
from schemas.batch import NO_SIDE, TradeBatch, quotes
from schemas.candle import Candle
from schemas.wire import wire

MINUTE = 60_000
CandleRow = wire(Candle)
_COUNTED = {Verdict.TRADE_LATE: "trades_late", Verdict.TRADE_DUPLICATE: "trades_duplicate"}
_IS_COUNTED = table(*_COUNTED)
_REFUSED = ~table(Verdict.ACCEPTED, Verdict.TRADE_DUPLICATE, Verdict.CLOCK, Verdict.QUOTE)


def candles(done: Made, names: Sequence[str], kinds: Sequence[str]) -> Iterator[Candle]:
    """The records of some candles."""
    made, f = done.candles, done.candles.figures
    volume, quote, bought = map(made.total, (4, 5, 6))
    mean = np.divide(quote, volume, out=np.zeros(len(f)), where=volume > 0)
    vwap = np.where(volume > 0, np.clip(mean, f[:, 2], f[:, 1]), 0.0)  # what is rounded may not leave the candle
    make: Callable[..., Candle] = CandleRow  # by place: the columns are in the order of the model's fields
    columns = (made.slot, made.kind, made.ts, f[:, 0], f[:, 1], f[:, 2], f[:, 3], volume, quote, made.count, bought)
    rows = zip(*(column.tolist() for column in (*columns, vwap)), strict=True)
    for (slot, kind, *figures, mean), (bid, ask) in zip(rows, quotes(done.quote, len(made)), strict=True):
        yield make(names[slot], kinds[kind], *figures, mean or None, bid, ask)


def dead_letters(outbox: Outbox, batch: TradeBatch, made: Made) -> None:
    """One for each row that is refused. A trade that came again is not: its first one counted."""
    for row in np.flatnonzero(_REFUSED[made.verdict]).tolist():
        reason, closed = Verdict(int(made.verdict[row])).name, int(made.closed[row])
        letter = row_letter(batch, row, reason, closed, _figures(batch, row), f"closed_ts={closed}")
        outbox["deadletters"].append(letter)


def _figures(batch: TradeBatch, row: int) -> dict[str, Any]:
    """The row as it was read, in the words of the trade's model."""
    figures = {"ts": int(batch.ts[row]), "id": int(batch.id[row]), "price": float(batch.price[row])}
    if batch.amount[row] == NO_SIDE:
        return figures
    return {**figures, "amount": float(batch.amount[row]), "side": "buy" if batch.buy[row] else "sell"}


class Tally:
    """Counts late trades and those that came again, a metric for each symbol and minute of event time that has any."""

    def __init__(self) -> None:
        self._minute, self._counts = 0, Counter[tuple[str, str]]()

    def __call__(self, outbox: Outbox, made: Made, slot: Slots, names: Sequence[str], final: bool) -> None:
        """Count what is in a batch, and tell of the minutes that are over with it; when ``final``, of all."""
        for row in np.flatnonzero(_IS_COUNTED[made.verdict]).tolist():
            self._tell(outbox, int(made.closed[row]) // MINUTE)
            self._counts[_COUNTED[Verdict(int(made.verdict[row]))], names[slot[row]]] += 1
        if len(made.closed):
            self._tell(outbox, int(made.closed[-1]) // MINUTE)
        if final:
            self._tell(outbox, self._minute + 1)

    def _tell(self, outbox: Outbox, minute: int) -> None:
        if minute > self._minute:
            ts = (self._minute + 1) * MINUTE
            for (name, symbol), count in sorted(self._counts.items()):
                outbox["metrics"].append(MetricRow(ts=ts, name=name, value=count, labels={"symbol": symbol}))
            self._minute, self._counts = minute, Counter()

    def snapshot(self) -> Any:
        """All state, as a copy."""
        return self._minute, dict(self._counts)

    def restore(self, state: Any) -> None:
        """Put it back."""
        self._minute, self._counts = state[0], Counter(state[1])
