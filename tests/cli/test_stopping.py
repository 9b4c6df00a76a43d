from __future__ import annotations

import subprocess
import sys

import pytest

STOPPED = """
import os, signal, threading
from cli.stopping import obeying

with obeying(at_once={at_once}):
    try:
        os.kill(os.getpid(), signal.{signal})
    except SystemExit:
        {then}
"""
BLOCKED = "threading.Event().wait()"


@pytest.mark.parametrize(("signal", "code"), [("SIGTERM", 0), ("SIGINT", 130)])
@pytest.mark.parametrize("then", ["raise", "raise TypeError('what a C library makes of it')", "pass", BLOCKED])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_signal_decides_the_exit_code_whatever_becomes_of_what_it_raises(
    signal: str, code: int, then: str, at_once: bool
) -> None:
    words = [sys.executable, "-c", STOPPED.format(signal=signal, then=then, at_once=at_once)]
    process = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True)
    assert (process.returncode, process.stderr) == (code, b"")
