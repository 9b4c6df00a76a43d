"""What a feed tells about itself: alerts for people, numbers for metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from connectors.feed.hole import Gap, Record, Stretch
from schemas.alert import Alert
from schemas.capture import NANOS
from schemas.ids import event_id
from schemas.metric import Metric
from schemas.wire import wire

ALERT, METRIC = wire(Alert), wire(Metric)
EVERY_NS = 60 * NANOS
LONGEST = 300
Out = tuple[str, Any]
"""A topic, and a record for it."""

MEANING = {
    "FEED_LOST": "a connection is gone; it is made anew, and what was missed is asked for",
    "FEED_BACK": "the connection stands again",
    "FEED_GAP": "records were missed; what the exchange's history had of them is in its place",
    "FEED_REFUSED": "the exchange says that something is wrong with what it was asked",
    "FEED_UNANSWERED": "a question about what was missed found no answer; it is asked again",
    "FEED_STALE": "nothing comes of this stream any more: a quiet market, or a subscription that was lost",
    "FEED_CLOCK": "the exchange's clock and this machine's are more than a second apart",
    "FEED_UNPARSED": "a frame could not be read: counted, and left out",
    "FEED_AHEAD": "later than this machine's clock by more than a minute: left out, or all others would be late; "
    "if all are, this machine's clock is wrong",
}
"""By code of an alert, what it says."""
COUNTS = (
    *("frames", "trades", "quotes", "candles", "clocks", "duplicates", "reordered", "corrected", "ahead"),
    *("unparsed", "refused"),
    *("connected", "lost", "asked", "unanswered"),
)
"""What is counted, each the metric ``feed_<name>`` of a minute."""


class Reports:
    """Counts, and makes the records. ``exchange`` is a label of each metric, and part of the id of each alert."""

    def __init__(self, exchange: str) -> None:
        self.count: Counter[str] = Counter()
        self._exchange = exchange
        self._said: set[tuple[str, str]] = set()  # since the last report

    def alert(
        self,
        ns: int,
        code: str,
        symbol: str | None = None,
        level: Literal["info", "warning", "critical"] = "warning",
        **figures: Any,
    ) -> list[Out]:
        """An alert at a time of reception (epoch ns)."""
        figures = {"exchange": self._exchange, **{name: _short(value) for name, value in figures.items()}}
        shown = " ".join(f"{name}={value}" for name, value in figures.items())
        row = ALERT(
            id=event_id(self._exchange, symbol or "", code, ns, shown),
            ts=ns // 1_000_000,
            level=level,
            code=code,
            symbol=symbol,
            strategy=None,
            message=f"{code}: {shown}; {MEANING[code]}",
            figures=figures,
        )
        return [("alerts", row)]

    def once(self, ns: int, code: str, why: str) -> list[Out]:
        """An alert that is raised once a minute, however often it happens: the metric counts."""
        kind = (code, "" if code in ("FEED_UNPARSED", "FEED_AHEAD") else why)
        if kind in self._said:
            return []
        self._said.add(kind)
        return self.alert(ns, code, why=why)

    def ahead(self, ns: int, records: Sequence[Record]) -> list[Out]:
        """Records that are left out for their time."""
        if not records:
            return []
        self.count["ahead"] += len(records)
        first = records[0]
        return self.once(ns, "FEED_AHEAD", f"{first.symbol}: ts={first.ts} ahead_ms={first.ts - ns // 1_000_000}")

    def tally(self, order: Stretch) -> None:
        """What a stream has counted since the last time."""
        for name in ("duplicates", "reordered", "corrected"):
            self.count[name] += getattr(order, name)
            setattr(order, name, 0)

    def gap(self, symbol: str, kind: str, gap: Gap) -> list[Out]:
        """The alert and the metrics of a hole that is closed."""
        figures = {
            "records": kind,
            "first": gap.first,
            "last": gap.last,
            "filled": gap.filled,
            "lost": "unknown" if gap.lost is None else gap.lost,
            "seconds": round((gap.closed - gap.opened) / NANOS, 3),
        }
        level: Literal["warning", "critical"] = "warning" if gap.lost == 0 else "critical"
        labels = {"exchange": self._exchange, "symbol": symbol, "records": kind}
        ts = gap.closed // 1_000_000
        out = self.alert(gap.closed, "FEED_GAP", symbol, level, **figures)
        values = {"feed_gap": 1, "feed_gap_filled": gap.filled, "feed_gap_lost": gap.lost or 0}
        return out + [
            ("metrics", METRIC(ts=ts, name=name, value=float(value), labels=labels)) for name, value in values.items()
        ]

    def minute(self, ns: int, skew: int | None, stale: int) -> list[Out]:
        """What was counted since the last time, the skew of the clocks in ms, and how many streams are stale."""
        ts, labels = ns // 1_000_000, {"exchange": self._exchange}
        values = {f"feed_{name}": self.count[name] for name in COUNTS}
        values["feed_stale"] = stale
        if skew is not None:
            values["feed_clock_skew_ms"] = skew
        self.count.clear()
        self._said.clear()
        return [
            ("metrics", METRIC(ts=ts, name=name, value=float(value), labels=labels)) for name, value in values.items()
        ]


def _short(value: Any) -> Any:
    return value[:LONGEST] if isinstance(value, str) else value
