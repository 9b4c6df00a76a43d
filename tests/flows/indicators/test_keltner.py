from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from flows.columns import Candles, Floats
from flows.indicators.bands import Bands
from flows.indicators.keltner import Keltner


def oracle(candles: Candles, length: int, atr_length: int, width: float) -> list[list[float]]:
    """Each average written out, row by row."""
    high, low, close = candles.high.tolist(), candles.low.tolist(), candles.close.tolist()
    average = sum(close[:length]) / length
    ranges = [max(high[i], close[i - 1]) - min(low[i], close[i - 1]) for i in range(1, len(close))]
    spread = sum(ranges[:atr_length]) / atr_length
    rows = [[np.nan] * 3 for _ in close]
    for i in range(len(close)):
        if i >= length:
            average = average * (1 - 2 / (length + 1)) + close[i] * 2 / (length + 1)
        if i > atr_length:
            spread = (spread * (atr_length - 1) + ranges[i - 1]) / atr_length
        if i >= max(length - 1, atr_length):
            rows[i] = [average + width * spread, average, average - width * spread]
    return rows


@pytest.mark.parametrize(("length", "atr_length", "width"), [(20, 10, 2.0), (5, 30, 1.5)])
def test_agrees_with_the_averages_written_out(
    real: Candles,
    in_batches: Callable[..., Bands],
    assert_agree: Callable[..., None],
    length: int,
    atr_length: int,
    width: float,
) -> None:
    rows = real[:5000]
    keltner = Keltner(length, atr_length, width)
    theirs: Floats = np.array(oracle(rows, length, atr_length, width)).T
    for ours, other in zip(in_batches(keltner, rows), theirs, strict=True):
        assert_agree(ours, other, keltner.warmup)


def test_the_bands_lie_width_ranges_off() -> None:
    bands = Keltner(1, 1, 3.0)(Candles.of([1.0, 3.0]))
    assert (bands.upper[1], bands.middle[1], bands.lower[1]) == (9.0, 3.0, -3.0)
