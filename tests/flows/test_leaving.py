from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

LEAVES = "import atexit; from flows.leaving import leave; atexit.register(print, 7); print('said'); leave({code})"


def left(code: int, out: IO[bytes] | int) -> tuple[int, bytes | None, bytes]:
    command, env = [sys.executable, "-c", LEAVES.format(code=code)], {**os.environ, "PYTHONUNBUFFERED": ""}
    process = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, env=env)
    return process.returncode, process.stdout, process.stderr


@pytest.mark.parametrize("code", [0, 1, 130])
def test_a_process_leaves_with_what_it_has_printed_and_without_pythons_own_end(code: int) -> None:
    assert left(code, subprocess.PIPE) == (code, b"said\n", b"")


@pytest.mark.parametrize(("code", "then"), [(0, 2), (1, 1)])
def test_a_full_disk_is_said(code: int, then: int) -> None:
    with Path("/dev/full").open("wb") as full:
        assert left(code, full) == (then, None, b"penstock: standard output: No space left on device\n")
