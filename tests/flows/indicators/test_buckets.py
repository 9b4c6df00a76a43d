from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flows.indicators.buckets import bucket, bucket_end


def millis(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


def test_a_candle_that_closes_on_a_boundary_ends_its_bucket() -> None:
    hour = bucket("1h")
    assert bucket_end(millis(2024, 1, 1, 10, 0), *hour) == millis(2024, 1, 1, 10)
    assert bucket_end(millis(2024, 1, 1, 10, 1), *hour) == millis(2024, 1, 1, 11)
    assert bucket_end(millis(2024, 1, 1, 10, 59), *hour) == millis(2024, 1, 1, 11)


def test_days_end_at_midnight_utc() -> None:
    assert bucket_end(millis(2024, 2, 29, 0, 1), *bucket("1d")) == millis(2024, 3, 1)


def test_weeks_run_from_monday_to_monday() -> None:
    thursday = millis(2024, 2, 29, 12)
    end = bucket_end(thursday, *bucket("1w"))
    assert end == millis(2024, 3, 4)
    assert datetime.fromtimestamp(end / 1000, UTC).weekday() == 0
    assert bucket_end(end, *bucket("1w")) == end


def test_times_before_the_boundary_lie_in_buckets_too() -> None:
    assert bucket_end(1, *bucket("1w")) == millis(1970, 1, 5)


def test_what_is_not_a_timeframe_is_refused() -> None:
    with pytest.raises(ValueError, match="'1M' is no length of time"):
        bucket("1M")
