"""A recording through the machine of the feed: the records that the live feed made, in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.capture import CaptureError, lines
from connectors.exchanges.registry import exchange
from connectors.feed.feed import Feed
from connectors.feed.reports import Out
from schemas.capture import Note


def recorded(path: Path, name: str | None = None) -> Iterator[tuple[int, list[Out]]]:
    """What was made of each line: its time of reception (epoch ns), and records with their topics.

    ``name`` is the exchange, for a recording that does not say it. With notes in it a recording gives byte for byte
    what was published when it was made; of one without notes each hole is lost. Lines are read as they are needed.

    Raises CaptureError for what is no recording, or when the exchange is not known.
    """
    feed: Feed | None = None
    ns = 0
    for line in lines(path):
        if isinstance(line.said, Note) and line.said.what == "opened" and not line.socket:
            if feed is not None:
                yield ns, feed.close(ns)  # the process that made it began anew
            feed = _feed(path, line.said.exchange, history=True)
        elif feed is None:
            if name is None:
                raise CaptureError(f"{path}: does not say of which exchange it is: name it with --exchange")
            feed = _feed(path, name, history=False)
        ns = line.ns
        out = feed.take(line)
        if isinstance(line.said, Note) and line.said.what == "closed":
            feed = None
        else:
            feed.asks.clear()  # the answers are in the recording
        if out:
            yield ns, out
    if feed is not None:
        yield ns, feed.close(ns)


def _feed(path: Path, name: str, history: bool) -> Feed:
    try:
        return Feed(exchange(name), history)
    except ValueError as unknown:
        raise CaptureError(f"{path}: {unknown}") from None
