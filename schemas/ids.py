"""Ids made from facts of an event alone, so that whoever computes the event again computes the same id.

An id is a version-5 UUID (RFC 9562, section 5.5) of the facts, joined by ``|``. It fits every exchange's client order
id, and it is how a sink recognises what it has already published.
"""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("6f0d3a52-5d0e-5c1c-9d5e-70656e73746f")
_PREFIX = NAMESPACE.bytes
# The two bits of the RFC's variant, set in a hexadecimal digit.
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def _escaped(fact: str | int) -> str:
    """Names come from outside: one that holds a ``|`` must not look like two facts."""
    return str(fact).replace("\\", "\\\\").replace("|", "\\|")


def event_id(*facts: str | int) -> str:
    """The uuid5 of some facts: ``uuid.uuid5(NAMESPACE, "|".join(facts))``, with ``|`` and backslash in a fact escaped.

    >>> event_id("main", "sma_cross", "BTC/USDT", 1640995260000, "entry")
    '8afae159-2730-564c-9835-a71761348c7b'
    """
    name = "|".join([str(fact) for fact in facts])
    if "\\" in name or name.count("|") >= len(facts):
        name = "|".join(map(_escaped, facts))
    text = sha1(_PREFIX + name.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"
