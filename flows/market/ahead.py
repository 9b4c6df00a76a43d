"""Alerts of what says a time that cannot be, once for each run of it."""

from __future__ import annotations

from typing import Any

from flows.market.reports import AlertRow, place
from flows.outbox import Outbox
from schemas.batch import CandleBatch, TradeBatch
from schemas.ids import event_id

REASON = "TIME_AHEAD"
MEANING = (
    "later than the timestamp of its message by more than market.max_ahead, so it is a dead letter and moves no time. "
    "If all of a producer is: its clock is wrong, or its timestamps are no times of sending; then set the topic's "
    "message.timestamp.type=LogAppendTime, or a larger market.max_ahead"
)
MOST = 1_000
"""At most so many symbols are remembered."""
CLOCK = -1


class Ahead:
    """An alert for the first message of a symbol that is ahead, and again when others of it were in time in between.

    State: of each symbol whose last message was ahead, the position of that (None stands for the clocks).
    """

    def __init__(self) -> None:
        self._last: dict[str | None, int] = {}

    def __call__(self, outbox: Outbox, batch: CandleBatch | TradeBatch) -> None:
        """Look at a batch, of whose messages the dead letters are in the outbox."""
        if not self._last and not batch.refused:
            return
        figures = {one.position: one.figures for one in batch.refused}
        for letter in outbox["deadletters"]:
            if letter.reason != REASON:
                continue
            last = self._last.pop(letter.symbol, None)
            if last is None or _came(batch, letter.symbol, last, letter.position):
                outbox["alerts"].append(_alert(letter, dict(figures[letter.position])))
            self._last[letter.symbol] = letter.position
            if len(self._last) > MOST:
                del self._last[next(iter(self._last))]
        for symbol, last in list(self._last.items()):
            if _came(batch, symbol, last, None):
                del self._last[symbol]

    def snapshot(self) -> Any:
        """All state, as a copy."""
        return dict(self._last)

    def restore(self, state: Any) -> None:
        """Put it back."""
        self._last = dict(state)


def _came(batch: CandleBatch | TradeBatch, symbol: str | None, after: int, before: int | None) -> bool:
    """Whether a row of the symbol lies between two positions."""
    if symbol is not None and symbol not in batch.symbols:
        return False
    slot = CLOCK if symbol is None else batch.symbols.index(symbol)
    at = batch.position[batch.slot == slot]
    return bool(((at > after) & (at < (at + 1 if before is None else before))).any())


def _alert(letter: Any, figures: dict[str, Any]) -> Any:
    return AlertRow(
        id=event_id(*place(letter.source, letter.partition), letter.position, REASON, "alert"),
        ts=letter.ts,
        level="warning",
        code=REASON,
        symbol=letter.symbol,
        strategy=None,
        message=f"{letter.error}; {MEANING}",
        figures=figures,
    )
