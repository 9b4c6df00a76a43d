"""The rows of the report's tables: the trades that mattered, the first alerts and dead letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from schemas.alert import Alert
from schemas.deadletter import DeadLetter
from sinks.columns import Trades, picked, read_lines
from sinks.summary.text import time_text

MOST_TRADES = 500
MOST_INCIDENTS = 12
TRADE_COLUMNS = (
    "exit (UTC)",
    "symbol",
    "strategy",
    "side",
    "quantity",
    "entry (UTC)",
    "entry price",
    "exit price",
    "by",
    "P&L",
    "P&L %",
    "fees",
    "duration",
)
WORDS = ("symbol", "strategy", "side", "by")


def trade_rows(trades: Trades) -> tuple[list[dict[str, Any]], str]:
    """Trades of the portfolio in order of exit, at most ``MOST_TRADES`` of them, and a line that says which."""
    rows = trades.rows("live")
    if not len(rows):
        return [], "No position was closed:"
    kept, note = rows, f"All {len(rows):,} trades."
    if len(rows) > MOST_TRADES:
        largest = np.argsort(-np.abs(trades.rounds.pnl[rows]), kind="stable")[:MOST_TRADES]
        kept = rows[np.sort(largest)]
        note = f"The {MOST_TRADES} trades with the largest gain or loss, of {len(rows):,}."
    rounds, words = trades.rounds[kept], trades.text.take(kept).to_pylist()
    return [
        word
        | {
            "exit_time": time_text(int(rounds.exit_ts[i])),
            "entry_time": time_text(int(rounds.entry_ts[i])),
            "pnl": float(rounds.pnl[i]),
            "pnl_pct": float(rounds.returns[i] * 100),
            "fees": float(rounds.fees[i]),
            "duration_s": int(rounds.duration_s[i]),
        }
        for i, word in enumerate(words)
    ], note + " A click on a column sorts by it. All trades, with the shadow ones:"


def first_alerts(folder: Path) -> list[Any]:
    """The first ``MOST_INCIDENTS`` alerts."""
    return read_lines(folder / "alerts.jsonl", picked(Alert, "ts", "level", "message"))[:MOST_INCIDENTS]


def first_letters(folder: Path) -> list[Any]:
    """The first ``MOST_INCIDENTS`` dead letters."""
    letters = read_lines(folder / "deadletters.jsonl", picked(DeadLetter, "source", "position", "error"))
    return letters[:MOST_INCIDENTS]
