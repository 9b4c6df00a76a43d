from __future__ import annotations

import numpy as np
import pytest

from sinks.summary.returns import annual_return, cagr, daily_returns, total_return

DAY = 86_400_000
HOUR = DAY // 24


def test_the_first_day_is_measured_from_the_starting_cash() -> None:
    returns = daily_returns(np.array([DAY, 2 * DAY]), np.array([125.0, 100.0]), 100)
    assert returns is not None
    assert returns.tolist() == [0.25, pytest.approx(-0.2)]


def test_midnight_belongs_to_the_day_that_it_ends() -> None:
    returns = daily_returns(np.array([DAY, DAY + HOUR]), np.array([125.0, 250.0]), 100)
    assert returns is not None
    assert returns.tolist() == [0.25, 1.0]


def test_equity_stands_still_on_a_day_without_records() -> None:
    ts = np.array([HOUR, 2 * HOUR, 3 * HOUR, DAY, 3 * DAY])
    returns = daily_returns(ts, np.array([100.0, 100.0, 100.0, 125.0, 250.0]), 100)
    assert returns is not None
    assert returns.tolist() == [0.25, 0.0, 1.0]


def test_a_used_up_account_has_no_daily_returns() -> None:
    assert daily_returns(np.array([DAY, 2 * DAY]), np.array([0.0, 100.0]), 100) is None


def test_records_a_week_apart_have_no_daily_returns() -> None:
    ts = np.arange(1, 6) * 7 * DAY
    assert daily_returns(ts, np.full(5, 100.0), 100) is None


def test_no_records_have_no_returns() -> None:
    returns = daily_returns(np.array([], np.int64), np.array([]), 100)
    assert returns is not None
    assert returns.tolist() == []


def test_total_return_is_null_without_cash() -> None:
    assert total_return(100, 75) == -0.25
    assert total_return(0, 75) is None


def test_annual_return_compounds_to_a_year() -> None:
    assert annual_return(np.array([1.0, -0.5])) == pytest.approx(0.0, abs=1e-12)
    assert annual_return(np.array([0.01, 0.01])) == pytest.approx(1.01**365 - 1, rel=1e-12)


def test_annual_return_is_null_below_two_days_and_beyond_all_numbers() -> None:
    assert annual_return(np.array([0.01])) is None
    assert annual_return(None) is None
    assert annual_return(np.array([1e6, 1e6])) is None


def test_cagr_counts_elapsed_time_in_years_of_365_days() -> None:
    assert cagr(100, 144, 730 * DAY) == pytest.approx(0.2, rel=1e-12)
    assert cagr(100, 80, 365 * DAY) == pytest.approx(-0.2, rel=1e-12)


def test_cagr_is_null_below_a_day_and_when_the_account_is_used_up() -> None:
    assert cagr(100, 144, DAY - 1) is None
    assert cagr(100, 0, 730 * DAY) is None
    assert cagr(100, -5, 730 * DAY) is None
    assert cagr(1, 1e300, DAY) is None
