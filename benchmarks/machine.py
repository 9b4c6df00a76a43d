"""What a benchmark ran on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def machine(load: float) -> list[str]:
    """Lines for the head of a page; ``load`` is the load average when it began."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"date: {datetime.now(UTC):%Y-%m-%d}",
        f"machine: {_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}",
        f"load average when it began: {load:.1f}, when it ended: {os.getloadavg()[0]:.1f}",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
