from __future__ import annotations

from pathlib import Path
from typing import Any

from schemas.rejection import Rejection
from sinks.summary.counts import count_alerts, count_dead_letters, count_refusals, count_signals
from tests.sinks.run_folders import START, dumped, empty_run, make_run, write_lines


def refusal(gate: str, code: str, **changes: Any) -> Rejection:
    fields: dict[str, Any] = {
        "id": "r", "ts": START, "portfolio": "main", "strategy": "s", "symbol": "BTC/USDT", "mode": "live",
        "side": "buy", "signal_id": "x", "gate": gate, "code": code, "figures": {"mode": "shadow"}, "message": "m",
    }  # fmt: skip
    return Rejection(**(fields | changes))


def test_refusals_are_counted_by_account_gate_and_code_most_frequent_first(tmp_path: Path) -> None:
    empty_run(tmp_path)
    found = [
        refusal("cash", "FUNDS"),
        refusal("limits", "B"),
        refusal("limits", "A"),
        refusal("limits", "A"),
        refusal("cash", "FUNDS", mode="shadow"),
        refusal("cash", "FUNDS", mode="shadow", strategy="t"),
    ]
    write_lines(tmp_path / "rejections.jsonl", dumped(found))
    counts = count_refusals(tmp_path)
    assert counts == {None: {"limits": {"A": 2, "B": 1}, "cash": {"FUNDS": 1}}} | {
        name: {"cash": {"FUNDS": 1}} for name in ("s", "t")
    }
    assert list(counts[None]) == ["limits", "cash"]


def test_incidents_and_signals_are_counted(tmp_path: Path) -> None:
    make_run(tmp_path, days=2, trades=10)
    assert count_alerts(tmp_path) == {"DATA_GAP": 2}
    assert count_dead_letters(tmp_path) == {"CANDLE_HIGH_BELOW_LOW": 1}
    assert count_signals(tmp_path) == 2 * (10 + 2)


def test_a_quiet_run_counts_nothing(tmp_path: Path) -> None:
    empty_run(tmp_path)
    assert (count_refusals(tmp_path), count_alerts(tmp_path), count_signals(tmp_path)) == ({}, {}, 0)
