"""Real messages of exchanges, from outside the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Frame = Callable[[str], bytes]


@pytest.fixture
def frame(shared_data: Path) -> Frame:
    """One message, by its path below ``frames``."""
    return lambda name: (shared_data / "frames" / name).read_bytes()
