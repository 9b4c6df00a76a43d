"""Alerts of messages that are refused for their time, which a feed or a clock is to blame for: not one for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from flows.columns import Bools
from flows.market.reports import AlertRow, Placed, place
from flows.outbox import Outbox
from schemas.batch import CandleBatch, TradeBatch
from schemas.ids import event_id

MEANING = {
    "TIME_AHEAD": (
        "later than the timestamp of its message by more than market.max_ahead, so it is a dead letter and moves no "
        "time. If all of a producer is: its clock is wrong, or its timestamps are no times of sending; then set the "
        "topic's message.timestamp.type=LogAppendTime, or a larger market.max_ahead"
    ),
    "ROW_LATE": (
        "more than market.allowed_lateness behind the newest candle of its shard, so it is a dead letter: a feed that "
        "is slower than the others, or a past that is published beside the present"
    ),
}
MOST = 1_000
"""At most so many runs are remembered."""
CLOCK = -1


class Untimely:
    """An alert for the first message of a run, and when there are twice as many as at the last one.

    A run is of one reason and one symbol, and ends with a row of it that is taken. State: of each run the position of
    its last message, and how many there are; symbol None stands for the clocks.
    """

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str | None], tuple[int, int]] = {}

    def __call__(self, outbox: Outbox, batch: CandleBatch | TradeBatch, taken: Bools) -> list[Placed]:
        """The alerts of a batch, of which the dead letters are in the outbox; ``taken`` by row."""
        letters = [letter for letter in outbox.get("deadletters", ()) if letter.reason in MEANING]
        if not letters and not self._runs:
            return []
        alerts: list[Placed] = []
        slot, position = batch.slot[taken], batch.position[taken]
        figures = {one.position: one.figures for one in batch.refused}

        def came(symbol: str | None, after: int, before: float = np.inf) -> bool:
            if symbol is not None and symbol not in batch.symbols:
                return False
            at = position[slot == (CLOCK if symbol is None else batch.symbols.index(symbol))]
            return bool(((at > after) & (at < before)).any())

        for letter in letters:
            key = letter.reason, letter.symbol
            last, count = self._runs.pop(key, (-1, 0))
            count = 1 if count and came(letter.symbol, last, letter.position) else count + 1
            self._runs[key] = letter.position, count
            if count & (count - 1) == 0:
                told = {**figures.get(letter.position, {}), "messages": count}
                alerts.append((letter.position, _alert(letter, told)))
            if len(self._runs) > MOST:
                del self._runs[next(iter(self._runs))]
        for (reason, symbol), (last, _) in list(self._runs.items()):
            if came(symbol, last):
                del self._runs[reason, symbol]
        return alerts

    def snapshot(self) -> Any:
        """All state, as a copy."""
        return dict(self._runs)

    def restore(self, state: Any) -> None:
        """Put it back."""
        self._runs = dict(state)


def _alert(letter: Any, figures: dict[str, Any]) -> Any:
    return AlertRow(
        id=event_id(*place(letter.source, letter.partition), letter.position, letter.reason, "alert"),
        ts=letter.ts,
        level="warning",
        code=letter.reason,
        symbol=letter.symbol,
        strategy=None,
        message=f"{letter.error} messages={figures['messages']}; {MEANING[letter.reason]}",
        figures=figures,
    )
