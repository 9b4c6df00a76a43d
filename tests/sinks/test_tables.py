from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import numpy as np

from sinks.tables import iso, write_equity, write_trades
from tests.sinks.run_folders import START, a_position, an_equity, dumped, empty_run, make_run, write_lines


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_closed_position_becomes_one_exact_line(tmp_path: Path) -> None:
    empty_run(tmp_path)
    position = a_position(1, "-1.5000", quantity=Decimal("0.30"), exit_leg="stop", exit_price=Decimal("95.10"))
    write_lines(tmp_path / "positions.jsonl", dumped([position]))
    assert write_trades(tmp_path).read_text().splitlines() == [
        "id,mode,strategy,symbol,side,quantity,entry_time,entry_ts,entry_price,exit_time,exit_ts,exit_price,exit_leg,"
        "pnl,pnl_pct,fees,duration_s",
        "position-1,live,sma_atr,BTC/USDT,long,0.30,2022-01-01T01:00:00Z,1640998800000,100,2022-01-01T01:01:00Z,"
        "1640998860000,95.10,stop,-1.5000,-5,0.25,60",
    ]


def test_a_comma_or_quote_in_a_name_survives(tmp_path: Path) -> None:
    empty_run(tmp_path)
    write_lines(tmp_path / "positions.jsonl", dumped([a_position(1, "1", symbol='A,"B"/USDT')]))
    [row] = rows(write_trades(tmp_path))
    assert row["symbol"] == 'A,"B"/USDT'
    assert row["exit_leg"] == "exit"


def test_a_run_without_trades_has_a_header_alone(tmp_path: Path) -> None:
    path = write_trades(empty_run(tmp_path))
    assert path.read_text().count("\n") == 1
    assert path.read_text().startswith("id,mode,strategy,symbol,")


def test_equity_tells_the_portfolio_from_shadow_accounts(tmp_path: Path) -> None:
    empty_run(tmp_path)
    records = [
        an_equity(START, 100.5, equity_low=99.0),
        an_equity(START, 7.0, mode="shadow", strategy="other", exposed=3),
    ]
    write_lines(tmp_path / "equity.jsonl", dumped(records))
    live, shadow = rows(write_equity(tmp_path))
    assert live == {
        "ts": str(START),
        "time": "2022-01-01T00:00:00Z",
        "portfolio": "main",
        "mode": "live",
        "strategy": "",
        "equity": "100.5",
        "equity_low": "99",
        "equity_high": "100.5",
        "cash": "100.5",
        "gross_exposure": "0",
        "net_exposure": "0",
        "drawdown_pct": "0",
        "exposed": "0",
        "instants": "60",
    }
    assert (shadow["mode"], shadow["strategy"], shadow["exposed"]) == ("shadow", "other", "3")


def test_milliseconds_are_kept_when_there_are_some() -> None:
    assert iso(np.array([1_000, 1_500])) == ["1970-01-01T00:00:01.000Z", "1970-01-01T00:00:01.500Z"]


def test_every_closed_position_and_every_equity_record_has_its_line(tmp_path: Path) -> None:
    make_run(tmp_path, ("BTC/USDT", "ETH/USDT"), days=3, trades=40)
    trades = rows(write_trades(tmp_path))
    assert [row["mode"] for row in trades].count("live") == 40
    assert [row["mode"] for row in trades].count("shadow") == 10
    assert len(rows(write_equity(tmp_path))) == 2 * 3 * 24
    assert not list(tmp_path.glob(".*"))
