"""Counts of decisions and incidents: refusals by gate and code, dead letters by reason, alerts by code."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from schemas.alert import Alert
from schemas.deadletter import DeadLetter
from schemas.rejection import Rejection
from sinks.columns import picked, read_lines

Refusals = dict[str, dict[str, int]]


def most_first(counts: Counter[str]) -> dict[str, int]:
    """Counts in falling order, equal ones by name.

    >>> most_first(Counter(b=1, c=2, a=1))
    {'c': 2, 'a': 1, 'b': 1}
    """
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def count_refusals(folder: Path) -> dict[str | None, Refusals]:
    """Refusals by account (None for the portfolio, else the shadow strategy), gate and code, most frequent first."""
    found = read_lines(folder / "rejections.jsonl", picked(Rejection, "mode", "strategy", "gate", "code"))
    counts: Counter[tuple[str | None, str, str]] = Counter(
        (None if refusal.mode == "live" else refusal.strategy, refusal.gate, refusal.code) for refusal in found
    )
    gates: Counter[tuple[str | None, str]] = Counter()
    for (account, gate, _), count in counts.items():
        gates[account, gate] += count
    result: dict[str | None, Refusals] = {}
    for (account, gate), _ in sorted(gates.items(), key=lambda item: (-item[1], item[0][1])):
        codes = Counter({code: n for (a, g, code), n in counts.items() if (a, g) == (account, gate)})
        result.setdefault(account, {})[gate] = most_first(codes)
    return result


def count_dead_letters(folder: Path) -> dict[str, int]:
    """Dead letters by reason, most frequent first."""
    letters = read_lines(folder / "deadletters.jsonl", picked(DeadLetter, "reason"))
    return most_first(Counter(letter.reason for letter in letters))


def count_alerts(folder: Path) -> dict[str, int]:
    """Alerts by code, most frequent first."""
    return most_first(Counter(alert.code for alert in read_lines(folder / "alerts.jsonl", picked(Alert, "code"))))


def count_signals(folder: Path) -> int:
    """Signals raised: the lines of ``signals.jsonl``."""
    return (folder / "signals.jsonl").read_bytes().count(b"\n")
