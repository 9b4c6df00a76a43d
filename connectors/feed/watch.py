"""What is wrong though nothing fails: a stream that brings nothing any more, clocks that are far apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.capture import NANOS
from schemas.timeframe import to_millis

STALE_NS = 300 * NANOS
APART_MS = 1_000
Finding = tuple[str, str | None, dict[str, Any]]
"""The code of an alert, the symbol if it is about one, and figures."""


class Watch:
    """Looks once a minute. Each finding is told once, and again only after it was over. Times are epoch ns.

    >>> watch = Watch()
    >>> watch.expect("trades", "BTC/USDT", 0)
    >>> list(watch.look(300 * NANOS, skew=-1_200))[0]
    ('FEED_STALE', 'BTC/USDT', {'records': 'trades', 'seconds': 300})
    >>> list(watch.look(360 * NANOS, skew=-1_200)), watch.stale
    ([], 1)
    """

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str], int] = {}
        self._patience: dict[str, int] = {}  # by kind of record, where it is another
        self._stale: set[tuple[str, str]] = set()
        self._apart = False

    @property
    def stale(self) -> int:
        """How many streams brought nothing for long."""
        return len(self._stale)

    def expect(self, kind: str, symbol: str, ns: int, timeframe: str = "") -> None:
        """A stream begins. One of candles is given two of them."""
        self._heard[kind, symbol] = ns
        if timeframe:
            self._patience[kind] = max(STALE_NS, 2 * to_millis(timeframe) * 1_000_000)

    def saw(self, kind: str, symbol: str, ns: int) -> None:
        """A record came."""
        self._heard[kind, symbol] = ns

    def look(self, ns: int, skew: int | None) -> Iterator[Finding]:
        """What has become worth an alert. ``skew`` is the exchange's clock less ours, ms."""
        for stream, heard in self._heard.items():
            kind, symbol = stream
            if ns - heard < self._patience.get(kind, STALE_NS):
                self._stale.discard(stream)
            elif stream not in self._stale:
                self._stale.add(stream)
                yield "FEED_STALE", symbol, {"records": kind, "seconds": (ns - heard) // NANOS}
        apart = skew is not None and abs(skew) > APART_MS
        if apart and not self._apart:
            yield "FEED_CLOCK", None, {"skew_ms": skew}
        self._apart = apart
