from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from schemas.summary import AccountSummary
from sinks.columns import read_run
from sinks.state import read_state
from sinks.summary.account import account_summary
from tests.sinks.run_folders import MINUTE, START, a_position, a_state, an_equity, dumped, empty_run, write_lines

DAY = 86_400_000


def account(folder: Path, closed: list[Any], curve: list[Any], **state: Any) -> AccountSummary:
    empty_run(folder)
    write_lines(folder / "positions.jsonl", dumped(closed))
    write_lines(folder / "equity.jsonl", dumped(curve))
    (folder / "state.json").write_text(json.dumps(a_state() | state))
    run = read_run(folder)
    return account_summary(read_state(folder), run.trades, run.curve, None, {})


def test_all_figures_of_two_days_by_hand(tmp_path: Path) -> None:
    still = a_position(9, "-2.00", status="open", exit_price=None, exit_ts=None, exit_leg=None, fees=Decimal("2.00"))
    equity = [
        an_equity(START + DAY, 110_000.0, equity_high=125_000.0),
        an_equity(START + 2 * DAY, 99_000.0),
        an_equity(START + DAY, 5.0, mode="shadow", strategy="other"),
    ]
    drawdown = {"max_pct": 20.8, "max_abs": 26_000.0, "peak_ts": START + DAY // 2, "valley_ts": START + 2 * DAY}
    found = account(
        tmp_path,
        [a_position(1, "-990.00"), still],
        equity,
        equity=99_000.0,
        last_ts=START + 2 * DAY,
        first_ts=START,
        instants=4,
        exposed_instants=1,
        drawdown=drawdown | {"end_ts": None},
        positions=dumped([still]),
    )
    assert found.peak_equity == 125_000.0
    assert found.total_return_pct == pytest.approx(-1.0)
    assert found.annual_return_pct == pytest.approx((0.99 ** (365 / 2) - 1) * 100)
    assert found.cagr_pct == pytest.approx((0.99 ** (365 / 2) - 1) * 100)
    # daily returns 0.1 and -0.1: mean 0
    assert found.annual_volatility_pct == pytest.approx((0.02 * 365) ** 0.5 * 100)
    assert found.sharpe == pytest.approx(0.0, abs=1e-12)
    assert found.sortino == pytest.approx(0.0, abs=1e-12)
    assert found.calmar == pytest.approx((0.99 ** (365 / 2) - 1) / 0.208)
    assert found.exposure_pct == 25.0
    assert found.drawdown.length_s == 1.5 * 86_400
    assert found.drawdown.longest_s == 1.5 * 86_400
    assert found.drawdown.count == 1
    assert found.drawdown.average_pct == pytest.approx(10.0)
    assert (found.open_positions, found.open_pnl) == (1, -10.0)
    assert found.fees == 2.25
    assert found.traded_value == 301.0
    assert found.turnover == pytest.approx(301 / 104_500)
    assert found.by_symbol["BTC/USDT"] == found.by_strategy["sma_atr"] == found.by_exit_leg["exit"] == found.trades


def test_the_last_instant_counts_though_its_interval_has_no_record(tmp_path: Path) -> None:
    equity = [an_equity(START + DAY, 110_000.0)]
    found = account(
        tmp_path, [], equity, equity=121_000.0, first_ts=START, last_ts=START + DAY + MINUTE, peak=130_000.0
    )
    # daily returns 0.1 and 0.1
    assert found.annual_return_pct == pytest.approx((1.1**365 - 1) * 100)
    assert found.peak_equity == 130_000.0


def test_a_used_up_account_has_null_ratios(tmp_path: Path) -> None:
    equity = [an_equity(START + DAY, -5.0), an_equity(START + 2 * DAY, -10.0)]
    found = account(tmp_path, [], equity, equity=-10.0, first_ts=START, last_ts=START + 2 * DAY)
    assert found.total_return_pct == pytest.approx(-100.01)
    for name in ("annual_return_pct", "cagr_pct", "annual_volatility_pct", "sharpe", "sortino", "calmar", "turnover"):
        assert getattr(found, name) is None, name


def test_one_day_has_no_annual_figures(tmp_path: Path) -> None:
    found = account(tmp_path, [], [an_equity(START + DAY, 101_000.0)], equity=101_000.0, last_ts=START + DAY)
    for name in ("annual_return_pct", "cagr_pct", "annual_volatility_pct", "sharpe", "sortino", "calmar"):
        assert getattr(found, name) is None, name


def test_equity_that_never_moves_has_no_ratios_but_no_risk(tmp_path: Path) -> None:
    equity = [an_equity(START + n * DAY, 100_000.0) for n in (1, 2, 3)]
    found = account(tmp_path, [], equity, last_ts=START + 3 * DAY)
    assert (found.annual_volatility_pct, found.annual_return_pct) == (0.0, 0.0)
    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)
    assert (found.drawdown.count, found.drawdown.average_pct, found.drawdown.longest_s) == (0, None, None)
