from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from sinks.columns import Trades, read_curve, read_trades
from tests.sinks.run_folders import START, a_position, an_equity, dumped, empty_run, write_lines


def test_only_closed_positions_are_trades(tmp_path: Path) -> None:
    empty_run(tmp_path)
    still = a_position(1, "-0.1", status="open", exit_price=None, exit_ts=None, exit_leg=None)
    write_lines(tmp_path / "positions.jsonl", dumped([still, a_position(2, "0.75")]))
    trades = read_trades(tmp_path)
    assert trades.text["id"].to_pylist() == ["position-2"]
    assert trades.rounds.pnl.tolist() == [0.75]


def test_numbers_follow_from_the_exact_decimals() -> None:
    position = a_position(
        3, "-1.25", side="short", quantity=Decimal("0.5"), entry_price=Decimal("40"), exit_price=Decimal("42")
    )
    rounds = Trades.of([position]).rounds
    assert rounds.entry_value.tolist() == [20.0]
    assert rounds.exit_value.tolist() == [21.0]
    assert rounds.sign.tolist() == [-1.0]
    assert rounds.returns.tolist() == [-0.0625]
    assert rounds.duration_s.tolist() == [60.0]


def test_exact_decimals_keep_every_digit() -> None:
    trades = Trades.of([a_position(1, "0.10000000000000000555")])
    assert trades.text["realised_pnl"].to_pylist() == ["0.10000000000000000555"]


def test_rows_of_an_account_keep_the_order_of_closing() -> None:
    trades = Trades.of(
        [
            a_position(1, "1", mode="shadow", strategy="a"),
            a_position(2, "2"),
            a_position(3, "3", mode="shadow", strategy="b"),
            a_position(4, "4"),
        ]
    )
    assert trades.rows("live").tolist() == [1, 3]
    assert trades.rows("shadow", "b").tolist() == [2]
    assert trades.rows("shadow", "none").tolist() == []


def test_groups_are_in_alphabetic_order_and_keep_the_order_of_rows() -> None:
    trades = Trades.of([a_position(n, "1", symbol=s) for n, s in enumerate(["B/X", "A/X", "B/X", "C/X"])])
    groups = trades.groups("symbol", trades.rows("live")[:3])
    assert [(name, rows.tolist()) for name, rows in groups.items()] == [("A/X", [1]), ("B/X", [0, 2])]


def test_no_trades_have_no_groups() -> None:
    trades = Trades.of([])
    assert trades.groups("symbol", trades.rows("live")) == {}


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    empty_run(tmp_path)
    write_lines(tmp_path / "positions.jsonl", dumped([a_position(1, "1")]))
    with (tmp_path / "positions.jsonl").open("ab") as file:
        file.write(b'{"id":"x","status":"closed"\n')
    with pytest.raises(ValueError, match=r"positions\.jsonl, line 2: .*run the replay again"):
        read_trades(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"positions\.jsonl"):
        read_trades(tmp_path)


def test_the_curve_tells_accounts_apart(tmp_path: Path) -> None:
    empty_run(tmp_path)
    rows = [an_equity(START, 1.0), an_equity(START, 2.0, mode="shadow", strategy="s"), an_equity(START + 1, 3.0)]
    write_lines(tmp_path / "equity.jsonl", dumped(rows))
    curve = read_curve(tmp_path)
    assert curve.of(None)["equity"].tolist() == [1.0, 3.0]
    assert curve.of("s")["equity"].tolist() == [2.0]
    assert curve.of("s")["ts"].tolist() == [START]
