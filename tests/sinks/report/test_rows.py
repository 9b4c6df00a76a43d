from __future__ import annotations

from pathlib import Path

import pytest

from sinks.columns import Trades
from sinks.report import rows as module
from sinks.report.rows import first_alerts, trade_rows
from tests.sinks.run_folders import a_position, make_run


def test_the_largest_gains_and_losses_are_kept_in_order_of_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TRADES", 2)
    positions = [a_position(n, pnl) for n, pnl in enumerate(["5", "-9", "1", "8"])]
    rows, note = trade_rows(Trades.of(positions))
    assert [row["pnl"] for row in rows] == [-9.0, 8.0]
    assert note.startswith("The 2 trades with the largest gain or loss, of 4.")


def test_shadow_trades_are_not_in_the_table() -> None:
    assert trade_rows(Trades.of([a_position(1, "5", mode="shadow")]))[0] == []


def test_alerts_are_cut_to_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path, days=2, trades=5)
    monkeypatch.setattr(module, "MOST_INCIDENTS", 1)
    assert [alert.message for alert in first_alerts(tmp_path)] == ["DATA_GAP: <b>3</b> candles missing"]
