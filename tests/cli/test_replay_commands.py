"""``penstock replay --commands FILE``: commands in a replay, at their place in event time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.command import Command
from tests.command import MINUTE, START, Result, penstock, write_csv

SENDERS = '--set=commands.senders={"ann": ["*"]}'
BUY: dict[str, Any] = {"intent": "click", "symbol": "BTC/USDT", "stop": 95.0, "target": 110.0}


def command(minute: float, name: str, portfolio: str = "main", **arguments: Any) -> str:
    row = Command(
        id=f"{name}-{minute}",
        ts=START + int(minute * MINUTE),
        portfolio=portfolio,
        sender="ann",
        name=name,
        arguments=arguments,
    )
    return row.model_dump_json()


def replay(folder: Path, lines: list[str], *options: str, out: str = "run") -> Result:
    """Twelve candles at which nothing happens, and these commands."""
    write_csv(folder / "BTC_USDT-1m.csv", [(START + n * MINUTE, 100.0, 101.0, 99.0, 100.0, 1.0) for n in range(12)])
    (folder / "commands.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")
    words = ("replay", "BTC_USDT-1m.csv", "--commands", "commands.jsonl", "--no-html", "--out", out, SENDERS)
    return penstock(folder, *words, *options)


def rows(run: Path, topic: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / f"{topic}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_commands_are_obeyed_answered_audited_and_part_of_the_output_hash(tmp_path: Path) -> None:
    # Not in the order of their times.
    clicks = [command(4.5, "buy", **BUY), command(1.5, "buy", **BUY), command(7.5, "close", symbol="BTC/USDT")]
    done = replay(tmp_path, clicks)
    assert done.code == 0
    assert "1 of 3 commands were refused: INTENT_EXECUTED 1" in done.err
    run = tmp_path / "run"
    assert [(row["name"], row["status"], row["code"]) for row in rows(run, "replies")] == [
        ("buy", "done", "DONE"),
        ("buy", "refused", "INTENT_EXECUTED"),
        ("close", "done", "DONE"),
    ]
    assert [(row["ts"] - START, row["leg"]) for row in rows(run, "orders")] == [
        (MINUTE, "entry"),
        (7 * MINUTE, "close"),
    ]
    assert [row["arguments"] for row in rows(run, "audit")] == [BUY, BUY, {"symbol": "BTC/USDT"}]
    hashes = json.loads((run / "run.json").read_text())
    assert replay(tmp_path, clicks[:2], out="other").code == 0
    assert json.loads((tmp_path / "other/run.json").read_text())["output_hash"] != hashes["output_hash"]
    assert {"replies", "audit"} <= set(hashes["outputs"])


def test_the_outputs_do_not_depend_on_how_the_input_is_cut(tmp_path: Path) -> None:
    lines = [command(1.5, "buy", **BUY), command(3.5, "pause"), command(11.5, "close", symbol="BTC/USDT")]
    for rows_ in ("1", "5", "1000"):
        assert replay(tmp_path, lines, "--set", f"run.batch_rows={rows_}", out=rows_).code == 0
    assert (
        len({json.loads((tmp_path / one / "run.json").read_text())["output_hash"] for one in ("1", "5", "1000")}) == 1
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "commands.jsonl:2: Invalid JSON"),
        ('{"id": "x"}', "commands.jsonl:2: ts: Field required"),
        (
            command(2, "pause", symbol="LIST").replace('"LIST"', '["BTC/USDT"]'),
            "commands.jsonl:2: arguments: 'symbol' is a text, a number or null, not ['BTC/USDT']",
        ),
        (command(2, "pause", "other"), "commands.jsonl:2: it is for portfolio other, and this one is main"),
    ],
)
def test_a_line_that_is_no_command_is_named(tmp_path: Path, line: str, said: str) -> None:
    done = replay(tmp_path, [command(1, "pause"), line])
    assert done.code == 2
    assert done.err.startswith(f"penstock: {said}")
    assert not (tmp_path / "run").exists()
