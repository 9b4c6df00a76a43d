from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.summary import Summary
from sinks.columns import read_run
from sinks.summary.summarise import summarise, write_summary
from tests.sinks.run_folders import START, empty_run, make_run


def test_equity_is_what_the_trades_earned(tmp_path: Path) -> None:
    make_run(tmp_path, ("BTC/USDT", "ETH/USDT"), days=5, trades=60)
    summary = summarise(tmp_path)
    for account in (summary.account, summary.shadow["sma_cross"]):
        assert account.final_equity == pytest.approx(account.starting_cash + account.trades.pnl, abs=1e-6)
        assert account.open_pnl == 0.0
        for parts in (account.by_symbol, account.by_strategy, account.by_exit_leg):
            assert sum(part.trades for part in parts.values()) == account.trades.trades
            assert sum(part.pnl for part in parts.values()) == pytest.approx(account.trades.pnl, abs=1e-6)
    assert summary.account.trades.trades == 60
    assert set(summary.account.by_strategy) == {"breakout", "sma_atr"}
    assert summary.shadow["sma_cross"].trades.trades == 15
    assert (summary.start, summary.end) == ("2022-01-01T00:01:00Z", "2022-01-06T00:00:00Z")
    assert summary.duration_s == 5 * 86_400 - 60


def test_the_file_holds_the_summary(tmp_path: Path) -> None:
    make_run(tmp_path, days=3, trades=20)
    summary = write_summary(tmp_path)
    assert Summary.model_validate_json((tmp_path / "summary.json").read_bytes()) == summary
    assert not list(tmp_path.glob(".*"))


def test_columns_that_were_read_before_give_the_same(tmp_path: Path) -> None:
    make_run(tmp_path, days=3, trades=20)
    assert summarise(tmp_path, read_run(tmp_path)) == summarise(tmp_path)


def test_a_run_in_which_nothing_happened_is_valid_json_without_nan(tmp_path: Path) -> None:
    write_summary(empty_run(tmp_path))
    found = json.loads((tmp_path / "summary.json").read_text(), parse_constant=pytest.fail)
    assert found["account"]["total_return_pct"] == 0.0
    assert found["account"]["sharpe"] is None
    assert found["start_ts"] == START + 60_000


def test_a_run_without_any_input_has_no_start(tmp_path: Path) -> None:
    summary = write_summary(empty_run(tmp_path, first_ts=None, last_ts=None, instants=0))
    assert (summary.start, summary.end, summary.duration_s, summary.account.exposure_pct) == (None, None, None, None)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=str(tmp_path.name)):
        summarise(tmp_path)
