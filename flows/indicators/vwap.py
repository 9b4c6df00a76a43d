"""Volume-weighted average price of a session."""

from __future__ import annotations

import numpy as np

from flows.columns import Candles, Floats, Ints, Slots
from flows.indicators.buckets import bucket, bucket_end
from flows.kernel import kernel
from flows.module import Module


@kernel
def _vwap(
    slot: Slots,
    ts: Ints,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    length: int,
    boundary: int,
    end: Ints,
    sums: Floats,
    out: Floats,
) -> None:
    for i in range(len(close)):
        s = slot[i]
        if ts[i] > end[s]:
            end[s] = bucket_end(ts[i], length, boundary)
            sums[s, 0] = sums[s, 1] = 0.0
        typical = (high[i] + low[i] + close[i]) / 3.0
        sums[s, 0] += typical * volume[i]
        sums[s, 1] += volume[i]
        out[i] = sums[s, 0] / sums[s, 1] if sums[s, 1] > 0.0 else typical


class VWAP(Module):
    """``sum(p * volume) / sum(volume)`` since the session began, with ``p = (high + low + close) / 3``.

    The weighting of Berkowitz, Logue and Noser, The Journal of Finance 43, 1988, on candles. A session is ``session``
    long (as ccxt writes timeframes) and begins ``offset_ms`` after each UTC boundary of that length: by default the
    UTC day; weeks begin on Monday. A candle belongs to the session in which it closes, and one that closes on the
    boundary to the session that ends there. Until a session has volume, the typical price itself. No warm-up. O(1)
    work and state.

    >>> VWAP("2m")(Candles.of([1.0, 3.0, 5.0])).tolist()
    [1.0, 2.0, 5.0]
    """

    def __init__(self, session: str = "1d", offset_ms: int = 0) -> None:
        self.length, boundary = bucket(session)
        self.boundary = boundary + offset_ms
        self.end = self.state(dtype=np.int64, fill=-(2**62))
        self.sums = self.state(2)

    def __call__(self, candles: Candles) -> Floats:
        """The average at each row of ``candles``, in quote currency."""
        self.reserve(candles.slots)
        out = np.empty(len(candles))
        columns = (candles.slot, candles.ts, candles.high, candles.low, candles.close, candles.volume)
        _vwap(*columns, self.length, self.boundary, self.end, self.sums, out)
        return out
