from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from flows.columns import Candles, Floats
from flows.indicators.atr import ATR
from flows.indicators.supertrend import Supertrend, Trend


def oracle(candles: Candles, length: int, width: float) -> list[tuple[float, float]]:
    """The rules as they are told: final bands first, then the trend."""
    atr = ATR(length)(candles).tolist()
    high, low, close = candles.high.tolist(), candles.low.tolist(), candles.close.tolist()
    rows = [(np.nan, np.nan)] * length
    for i in range(length, len(close)):
        basic_upper = (high[i] + low[i]) / 2 + width * atr[i]
        basic_lower = (high[i] + low[i]) / 2 - width * atr[i]
        if i == length:
            upper, lower, up = basic_upper, basic_lower, close[i] >= (high[i] + low[i]) / 2
        else:
            upper = basic_upper if basic_upper < upper or close[i - 1] > upper else upper
            lower = basic_lower if basic_lower > lower or close[i - 1] < lower else lower
            up = close[i] >= lower if up else close[i] > upper
        rows.append((lower, 1.0) if up else (upper, -1.0))
    return rows


@pytest.mark.parametrize(("length", "width"), [(10, 3.0), (7, 1.0)])
def test_agrees_with_the_rules_written_out(
    real: Candles, in_batches: Callable[..., Trend], assert_agree: Callable[..., None], length: int, width: float
) -> None:
    rows = real[:10_000]
    supertrend = Supertrend(length, width)
    theirs: Floats = np.array(oracle(rows, length, width)).T
    assert np.count_nonzero(np.diff(theirs[1, length:])) > 100  # the trend does turn
    for ours, other in zip(in_batches(supertrend, rows), theirs, strict=True):
        assert_agree(ours, other, supertrend.warmup)


def test_agrees_where_closes_lie_exactly_on_the_bands(assert_agree: Callable[..., None]) -> None:
    draw = np.random.default_rng(2)
    close = 1000.0 + np.cumsum(draw.integers(-3, 4, 3000)).astype(np.float64)
    candles = replace(Candles.of(close), high=close + 2.0 * draw.integers(0, 2, 3000), low=close - 2.0)
    theirs: Floats = np.array(oracle(candles, 1, 1.0)).T
    assert np.count_nonzero(close[1:] == theirs[0, :-1]) > 100
    for ours, other in zip(Supertrend(1, 1.0)(candles), theirs, strict=True):
        assert_agree(ours, other, 1)


def test_the_line_is_below_the_close_in_an_up_trend_and_above_it_in_a_down_trend(real: Candles) -> None:
    line, side = Supertrend()(real)
    assert ((real.close - line)[10:] * side[10:] >= 0.0).all()


def test_the_line_only_moves_with_the_trend(real: Candles) -> None:
    line, side = (column[10:] for column in Supertrend()(real))
    same = side[1:] == side[:-1]
    assert (np.diff(line)[same] * side[1:][same] >= 0.0).all()
