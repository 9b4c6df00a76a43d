"""The outbox of an operator: records by topic, in the order in which they were decided."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

Outbox = dict[str, list[Any]]


def new_outbox() -> Outbox:
    """An empty outbox; naming a topic is enough to open it.

    >>> box = new_outbox()
    >>> box["alerts"].append("hot")
    >>> dict(box)
    {'alerts': ['hot']}
    """
    return defaultdict(list)
