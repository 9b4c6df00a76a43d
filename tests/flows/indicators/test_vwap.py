from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import fsum

import numpy as np
import pytest

from flows.columns import Candles, Floats
from flows.indicators.vwap import VWAP

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def oracle(candles: Candles, length: int, offset: int) -> Floats:
    """Every session summed from its start for each row anew, exactly."""
    typical = ((candles.high + candles.low + candles.close) / 3).tolist()
    volume = candles.volume.tolist()
    session = ((candles.ts - MINUTE - offset) // length).tolist()  # of the open time: no 1m candle straddles a boundary
    out = []
    for i in range(len(typical)):
        first = session.index(session[i])
        weights = volume[first : i + 1]
        out.append(fsum(p * w for p, w in zip(typical[first:], weights, strict=False)) / fsum(weights))
    return np.array(out)


@pytest.mark.parametrize(
    ("session", "length", "offset"), [("1d", DAY, 0), ("4h", 4 * HOUR, 30 * MINUTE), ("1d", DAY, -2 * HOUR)]
)
def test_agrees_with_sessions_summed_anew(
    real: Candles,
    in_batches: Callable[..., Floats],
    assert_agree: Callable[..., None],
    session: str,
    length: int,
    offset: int,
) -> None:
    rows = real[:3000]
    assert_agree(in_batches(VWAP(session, offset), rows), oracle(rows, length, offset), VWAP().warmup)


def test_a_candle_that_closes_at_midnight_belongs_to_the_day_that_ends() -> None:
    candles = replace(Candles.of([1.0, 3.0, 7.0]), ts=np.array([DAY - MINUTE, DAY, DAY + MINUTE]))
    assert VWAP()(candles).tolist() == [1.0, 2.0, 7.0]


def test_a_week_begins_on_monday() -> None:
    monday = 4 * DAY
    candles = replace(Candles.of([1.0, 3.0, 7.0]), ts=np.array([monday - HOUR, monday, monday + HOUR]))
    assert VWAP("1w")(candles).tolist() == [1.0, 2.0, 7.0]


def test_weighs_by_volume() -> None:
    candles = replace(Candles.of([1.0, 4.0]), volume=np.array([2.0, 1.0]))
    assert VWAP()(candles).tolist() == [1.0, 2.0]


def test_is_the_typical_price_until_the_session_has_volume() -> None:
    candles = replace(Candles.of([1.0, 4.0, 6.0]), volume=np.array([0.0, 0.0, 2.0]))
    assert VWAP()(candles).tolist() == [1.0, 4.0, 6.0]


def test_a_session_that_is_not_a_timeframe_is_refused() -> None:
    with pytest.raises(ValueError, match="'day' is no length of time"):
        VWAP("day")
