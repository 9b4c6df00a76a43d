"""examples/scenarios: each story, replayed as its README says, comes out as it is told there, to the cent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.command import penstock
from tests.conftest import ROOT

SCENARIOS = sorted((ROOT / "examples/scenarios").glob("*/penstock.yaml"))
TOLD = {
    "replies": "{sender}: {name}: {message}",
    "breakers": "{event}: {breaker}, {scope}, now {state}",
    "alerts": "{level}: {message}",
    "rejections": "refused to {side} {symbol} for {strategy}: {message}",
    "orders": "order, {leg}: {side} {quantity} {symbol} for {strategy}{guards}",
    "fills": "fill, {leg}: {side} {quantity} {symbol} at {price}, fee {fee}",
    "positions": "position {status}: {side} {quantity} {symbol}, {realised_pnl}",
}
"""By topic, in the order in which they are told of one instant."""
NAMES = ("BREAKER_TRIPPED", "BREAKER_RESET")


def timeline(run: Path) -> str:
    """What was decided and done, a line each, with the time of day."""
    lines = [(row["ts"], line) for topic in TOLD for row, line in _told(run, topic)]
    lines.sort(key=lambda found: found[0])
    return "".join(f"{datetime.fromtimestamp(ts / 1_000, UTC):%H:%M:%S}  {line}\n" for ts, line in lines)


def _told(run: Path, topic: str) -> Iterator[tuple[dict[str, Any], str]]:
    path = run / f"{topic}.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        row = json.loads(line)
        if topic == "alerts" and row["code"] in NAMES:
            continue  # as the breaker's own record says
        if topic == "positions" and row["status"] != "closed":
            continue
        guards = f", stop {row['stop']}, target {row['target']}" if row.get("leg") == "entry" and "stop" in row else ""
        row["message"] = row.get("message", "").partition(" order_id=")[0]
        yield row, TOLD[topic].format(**row, guards=guards)


def replayed(folder: Path, to: Path) -> Path:
    """The run folder of a scenario, by the command that its README gives."""
    shutil.copytree(folder, to)
    (command,) = (line.strip() for line in (to / "README.md").read_text().splitlines() if "penstock replay" in line)
    words = command.split()[1:]
    candles = [path.name for path in sorted(to.glob("*.csv"))]
    at = words.index("*.csv")
    words[at : at + 1] = candles
    result = penstock(to, *words, "--no-html")
    assert result.code == 0, result.err
    return to / words[words.index("--out") + 1]


def test_there_are_nine_stories() -> None:
    assert [path.parent.name for path in SCENARIOS] == [
        "config-change-in-a-trade",
        "conflicting-strategies",
        "correlated-positions",
        "double-click",
        "exchange-outage",
        "flash-crash",
        "gap-through-the-stop",
        "losing-streak",
        "wide-spread",
    ]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.parent.name)
def test_a_story_comes_out_as_it_is_told(path: Path, tmp_path: Path) -> None:
    found = timeline(replayed(path.parent, tmp_path / "story"))
    assert found == (path.parent / "expected.txt").read_text(encoding="utf-8")
