from __future__ import annotations

from pathlib import Path

from sinks.report.cards import cards
from sinks.summary.summarise import summarise
from tests.sinks.run_folders import empty_run, make_run


def test_the_cards_show_the_summary(tmp_path: Path) -> None:
    make_run(tmp_path, days=5, trades=60)
    summary = summarise(tmp_path)
    found = {card.label: card for card in cards(summary)}
    assert found["Sharpe"].value == f"{summary.account.sharpe:.2f}"
    assert found["Trades"].value == "60"
    assert found["Total return"].tone == ("up" if summary.account.total_return_pct > 0 else "down")  # type: ignore[operator]


def test_what_is_not_defined_is_a_dash(tmp_path: Path) -> None:
    found = {card.label: card.value for card in cards(summarise(empty_run(tmp_path)))}
    assert {label for label, value in found.items() if value == "–"} >= {"Sharpe", "SQN", "CAGR", "Profit factor"}
