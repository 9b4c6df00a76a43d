"""The strategy that all sides run, written for one candle: the crossing of two simple moving averages.

Touching keeps the side it came from; the first side seen is no crossing. ``closes`` are the last closes of one symbol,
oldest first, and are changed in place: a list, because some of the frameworks keep state as JSON.
"""

from __future__ import annotations

from typing import Any

FAST, SLOW = 10, 20


def crossing(closes: list[float], side: int, close: float) -> tuple[int, int]:
    """Take in a close. Returns the side afterwards, and +1, -1 or 0: crossed upwards, downwards, or not."""
    closes.append(close)
    if len(closes) < SLOW:
        return side, 0
    if len(closes) > SLOW:
        del closes[0]
    fast, slow = sum(closes[-FAST:]) / FAST, sum(closes) / SLOW
    now = (fast > slow) - (fast < slow)
    if now == 0:
        return side, 0
    return now, now if side == -now else 0


def signal(symbol: str, ts: int, crossed: int, close: float) -> dict[str, Any]:
    """What a side writes for a crossing."""
    return {"symbol": symbol, "ts": ts, "side": "long" if crossed > 0 else "short", "price": close}
