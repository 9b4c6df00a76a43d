"""Clients that are not ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

import pytest

Kcat = Callable[..., bytes]


@pytest.fixture(scope="session")
def kcat() -> Kcat:
    """Run ``kcat WORDS`` with some bytes on its standard input; what it prints. Without kcat, see ``kafka_jars``."""
    if shutil.which("kcat") is None:
        message = "kcat is not here: apt-get install kcat"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)

    def run(*words: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(["kcat", *words], input=stdin, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run
