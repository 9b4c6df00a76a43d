"""Replays as a user runs them: the command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "cli.main", "replay")


def command(inputs: list[Path], out: Path, *options: str) -> list[str]:
    """The words of a replay without a report."""
    return [*COMMAND, *map(str, inputs), "--out", str(out), "--no-html", *options]


def replay(inputs: list[Path], out: Path, *options: str, hash_seed: int = 0) -> dict[str, Any]:
    """Replay to the end; returns ``run.json``. Fails with what the command said."""
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    done = subprocess.run(
        command(inputs, out, *options), env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return run_json(out)


def run_json(out: Path) -> dict[str, Any]:
    """``run.json`` of a finished run."""
    found: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return found


def records(out: Path, topic: str) -> list[dict[str, Any]]:
    """The records of a topic in a finished run."""
    return [json.loads(line) for line in (out / f"{topic}.jsonl").read_text(encoding="utf-8").splitlines()]
