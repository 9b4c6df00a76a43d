from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from sinks.summary.summarise import summarise
from sinks.summary.table import summary_tables
from tests.sinks.run_folders import empty_run, make_run


def lines(folder: Path) -> list[str]:
    file = StringIO()
    console = Console(width=80, file=file)
    for part in summary_tables(summarise(folder)):
        console.print(part)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def cells(text: list[str]) -> list[str]:
    return [word for line in text for word in line.split("  ") if word.strip()]


def test_everything_fits_on_a_terminal(tmp_path: Path) -> None:
    make_run(tmp_path, tuple(f"COIN{n}/USDT" for n in range(9)), days=5, trades=90)
    text = lines(tmp_path)
    assert len(text) <= 30
    assert max(map(len, text)) <= 80
    assert "…" not in "".join(text[:12]), "no figure is cut"


def test_the_figures_are_those_of_the_summary(tmp_path: Path) -> None:
    make_run(tmp_path, days=5, trades=60)
    account = summarise(tmp_path).account
    found = {word.strip() for word in cells(lines(tmp_path))}
    assert f"{account.final_equity:,.2f}" in found
    assert f"{account.sharpe:.2f}" in found
    assert f"{account.trades.win_rate_pct:.2f} %" in found
    assert {"BTC/USDT", "breakout", "sma_atr", "sma_cross (shadow)"} <= {word.strip() for word in found}


def test_what_was_refused_stands_below(tmp_path: Path) -> None:
    make_run(tmp_path, days=5, trades=60)
    text = lines(tmp_path)
    assert any(line.startswith("refused ") and "RISK_STOP_MISSING" in line for line in text)
    assert "dead letters 1: CANDLE_HIGH_BELOW_LOW 1" in text
    assert "alerts 2: DATA_GAP 2" in text


def test_a_run_without_trades_shows_dashes(tmp_path: Path) -> None:
    text = lines(empty_run(tmp_path))
    assert any("Sharpe" in line and "–" in line for line in text)
