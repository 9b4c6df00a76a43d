"""A socket as the machine of a feed sees it."""

from __future__ import annotations

from connectors.exchanges.interface import Parser
from connectors.feed.stream import Key
from schemas.capture import NANOS

SUSPECT_EVERY_NS = 60 * NANOS


class Place:
    """Its parser, the streams on it, and when they are to be looked at for holes. Times are epoch ns."""

    def __init__(self) -> None:
        self.parser: Parser | None = None
        self.streams: list[Key] = []
        self.lost: int | None = None
        self.heard = 0  # when the last frame came
        self.resume: int | None = None  # at the latest
        self.suspect: int | None = None  # when to look for what a frame held that could not be read
        self.suspected = -SUSPECT_EVERY_NS
