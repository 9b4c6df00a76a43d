"""The command line as a user has it: a process with its own exit code, output and working directory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def penstock(tmp_path: Path) -> Callable[..., Result]:
    """Run ``penstock ARGS`` in an empty folder."""

    def run(*args: str, **environ: str) -> Result:
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("PENSTOCK")}
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *args],
            cwd=tmp_path,
            env={**kept, "COLUMNS": "120", "NO_COLOR": "1", **environ},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run
