from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flows.columns import Candles, Floats
from flows.indicators.atr import ATR
from flows.indicators.bands import Bands
from flows.indicators.bollinger import Bollinger
from flows.indicators.higher import Higher
from flows.indicators.sma import SMA

MINUTE = 60_000


def at_minutes(minutes: list[int], close: list[float]) -> Candles:
    return replace(Candles.of(close), ts=np.array(minutes, dtype=np.int64) * MINUTE)


def resampled(candles: Candles, length: int) -> tuple[Candles, list[int]]:
    """Closed higher candles of one symbol from a dict of buckets; and for each the row that closes it."""
    buckets: dict[int, list[int]] = {}
    for i, ts in enumerate(candles.ts.tolist()):
        buckets.setdefault(-(-ts // length) * length, []).append(i)
    rows, by = [], []
    for end, inside in buckets.items():
        closing = next((i for i, ts in enumerate(candles.ts.tolist()) if ts >= end), None)
        if closing is None:
            continue
        highest, lowest = candles.high[inside].max(), candles.low[inside].min()
        volume = sum(candles.volume[inside].tolist())
        rows.append((end, candles.open[inside[0]], highest, lowest, candles.close[inside[-1]], volume))
        by.append(closing)
    ts, *prices = (np.array(column) for column in zip(*rows, strict=True))
    return Candles(np.zeros(len(ts), np.int32), 1, ts.astype(np.int64), *prices), by


def spread(value: Floats, by: list[int], rows: int) -> Floats:
    """Each row the newest value that a row up to it has closed."""
    closed = np.array(by)
    known = np.searchsorted(closed, np.arange(rows), side="right")
    return np.concatenate([[np.nan], value])[known]


def holey(real: Candles) -> Candles:
    """Real candles with holes: single rows, and a stretch of hours, some of it across several buckets."""
    keep = np.random.default_rng(4).random(4000) > 0.2
    keep[1000:1400] = False
    return real[:4000][keep]


@pytest.mark.parametrize("timeframe", ["5m", "1h"])
@pytest.mark.parametrize("inner", [lambda: SMA(3), lambda: ATR(4)])
def test_agrees_with_candles_resampled_beforehand(
    real: Candles, in_batches: Callable[..., Floats], timeframe: str, inner: Callable[[], Any]
) -> None:
    for rows in (real[:3000], holey(real)):
        higher, by = resampled(rows, {"5m": 5, "1h": 60}[timeframe] * MINUTE)
        found = in_batches(Higher(timeframe, inner()), rows)
        np.testing.assert_array_equal(found, spread(inner()(higher), by, len(rows)))


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume", "ts"])
def test_the_higher_candles_are_those_resampled_beforehand(
    real: Candles, in_batches: Callable[..., Floats], column: str
) -> None:
    rows = holey(real)
    higher, by = resampled(rows, 15 * MINUTE)
    found = in_batches(Higher("15m", lambda candles: getattr(candles, column)), rows)
    np.testing.assert_array_equal(found, spread(getattr(higher, column), by, len(rows)))


def test_a_higher_candle_is_closed_by_the_row_that_closes_with_it() -> None:
    out = Higher("3m", SMA(1))(at_minutes([1, 2, 3, 4, 5, 6], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    np.testing.assert_array_equal(out, [np.nan, np.nan, 3.0, 3.0, 3.0, 6.0])


def test_after_a_gap_it_is_closed_by_the_first_row_behind_its_end() -> None:
    out = Higher("3m", SMA(1))(at_minutes([1, 2, 4, 5, 6], [1.0, 2.0, 4.0, 5.0, 6.0]))
    np.testing.assert_array_equal(out, [np.nan, np.nan, 2.0, 2.0, 6.0])


def test_a_row_can_close_the_candle_before_a_gap_and_its_own() -> None:
    seen: list[list[int]] = []

    def close(candles: Candles) -> Floats:
        seen.append((candles.ts // MINUTE).tolist())
        return candles.close

    out = Higher("3m", close)(at_minutes([1, 9], [1.0, 9.0]))
    np.testing.assert_array_equal(out, [np.nan, 9.0])
    assert seen == [[3, 9]]


def test_a_bucket_without_rows_has_no_candle() -> None:
    out = Higher("2m", SMA(2))(at_minutes([1, 2, 7, 8], [1.0, 2.0, 7.0, 8.0]))
    np.testing.assert_array_equal(out, [np.nan, np.nan, np.nan, 5.0])


def test_each_symbol_has_its_own_higher_candles() -> None:
    candles = replace(
        at_minutes([1, 1, 2, 2, 3, 3], [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]),
        slot=np.array([0, 1, 0, 1, 0, 1], np.int32),
        slots=2,
    )
    out = Higher("2m", SMA(1))(candles)
    np.testing.assert_array_equal(out, [np.nan, np.nan, 2.0, 20.0, 2.0, 20.0])


def test_several_columns_come_back_as_what_the_inner_gives(real: Candles) -> None:
    rows = real[:600]
    bands = Higher("5m", Bollinger(20), columns=3)(rows)
    assert isinstance(bands, Bands)
    higher, by = resampled(rows, 5 * MINUTE)
    for ours, theirs in zip(bands, Bollinger(20)(higher), strict=True):
        np.testing.assert_array_equal(ours, spread(theirs, by, len(rows)))


def test_a_wrong_number_of_columns_is_refused_with_the_right_one() -> None:
    with pytest.raises(ValueError, match=r"gave 3 columns: write Higher\(…, columns=3\)"):
        Higher("5m", Bollinger(20))(Candles.of([1.0]))


def test_the_state_of_the_inner_is_saved_with_it() -> None:
    assert {name for name in Higher("5m", SMA(3)).state_dict() if name.startswith("inner.")} == {
        "inner.ring",
        "inner.part",
        "inner.count",
    }


def test_no_value_comes_before_the_warmup_of_the_inner(real: Candles) -> None:
    higher = Higher("5m", SMA(3))
    assert higher.warmup == 2
    assert np.isnan(higher(real[:2])).all()
    assert Higher("5m", lambda candles: candles.close).warmup == 0


def test_a_timeframe_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'hour' is no length of time"):
        Higher("hour", SMA(3))
