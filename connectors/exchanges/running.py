"""Candles of exchanges that send each of them as it grows, and never say that one has ended."""

from __future__ import annotations

from connectors.exchanges.interface import Notice, Parsed
from schemas.candle import Candle

GRACE_MS = 2_000
"""How long after its end a candle may still change: a message for its last trade is under way."""


class Running:
    """Lets a candle go when the next one of its market has begun, or two seconds after its end.

    A change that comes later gives the candle again, with the values that it has then.

    >>> from connectors.exchanges.records import candle
    >>> running = Running()
    >>> first = candle("A/B", "1m", 0, (1.0, 2.0, 1.0, 2.0), 5.0)
    >>> running.offer(first), running.at(61_999)
    (Notice(kind='ignored', why='a candle that is still open', ts=None, symbol='A/B'), [])
    >>> running.at(62_000) == [first], running.at(63_000)
    (True, [])
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Candle] = {}
        self._ended: dict[tuple[str, str], Candle] = {}

    def offer(self, candle: Candle) -> Parsed:
        """The state of a candle. Returns what it lets go, or a notice that it lets nothing go."""
        key = candle.symbol, candle.timeframe
        last, ended = self._open.get(key), self._ended.get(key)
        if ended is not None and candle.ts <= ended.ts:
            if candle.ts < ended.ts or candle == ended:
                return Notice("ignored", "a candle that was told before", symbol=candle.symbol)
            self._ended[key] = candle
            return candle
        if last is not None and candle.ts < last.ts:
            return candle
        self._open[key] = candle
        if last is not None and candle.ts > last.ts:
            self._ended[key] = last
            return last
        return Notice("ignored", "a candle that is still open", symbol=candle.symbol)

    def at(self, now_ms: int) -> list[Candle]:
        """It is that late: the candles that have ended by now, by symbol."""
        over = sorted(key for key, candle in self._open.items() if now_ms >= candle.ts + GRACE_MS)
        for key in over:
            self._ended[key] = self._open.pop(key)
        return [self._ended[key] for key in over]
