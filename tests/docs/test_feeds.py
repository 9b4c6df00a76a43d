"""docs/feeds.md says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.feed.reports import MEANING

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/feeds.md").read_text(encoding="utf-8")


def test_every_alert_is_explained() -> None:
    assert dict(re.findall(r"^\| `(FEED_\w+)` \| (.*) \|$", PAGE, re.MULTILINE)) == MEANING


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(\w+/test_\w+\.py)`", PAGE))
    assert len(named) == 5
    assert [name for name in named if not list((ROOT / "tests").rglob(name))] == []
