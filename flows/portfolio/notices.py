"""Alerts about the stream as the portfolio sees it: what is late, quiet or silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from flows.outbox import Outbox
from flows.portfolio.align import Notice
from schemas.alert import Alert
from schemas.ids import event_id
from schemas.wire import wire

AlertRow = wire(Alert)

MEANING = {
    "SYMBOL_QUIET": "no candle of it came in time, while others did: no trades, or it is not fed any more",
    "FEED_STALE": "no candle of any of its symbols came: the feed is stale",
    "SHARD_EMPTY": "no candle ever came on this partition: it is not waited for",
    "CANDLE_LATE": "came after its instant was decided, and is taken at the next one",
}
"""By code of an alert, what it says."""


def gap_ms(notice: Notice) -> int:
    """For how long what was given up on has stayed away: of event time or, where that stands still, by the clock.

    >>> gap_ms(Notice("SYMBOL_QUIET", 90_000, "s", 1, "ETH/USDT", {"waited_s": 5.0, "last_ts": 60_000}))
    30000
    >>> gap_ms(Notice("FEED_STALE", 60_000, "s", 1, None, {"silent_s": 45.0, "last_ts": 60_000}))
    45000
    """
    last: int | None = notice.figures.get("last_ts")
    silent: float = notice.figures.get("silent_s", 0.0)
    return max(0 if last is None else notice.ts - last, round(1_000 * silent))


def alerts(outbox: Outbox, portfolio: str, notices: Sequence[Notice]) -> None:
    """An alert for each notice."""
    for notice in notices:
        figures = {"shard": notice.shard, **notice.figures}
        shown = " ".join(f"{name}={value}" for name, value in figures.items())
        level: Literal["info", "warning"] = "info" if notice.code == "SHARD_EMPTY" else "warning"
        outbox["alerts"].append(
            AlertRow(
                id=event_id(portfolio, notice.symbol or notice.shard, notice.upto, notice.ts, notice.code),
                ts=notice.ts,
                level=level,
                code=notice.code,
                symbol=notice.symbol,
                strategy=None,
                message=f"{notice.code}: {shown}; {MEANING[notice.code]}",
                figures=figures,
            )
        )
