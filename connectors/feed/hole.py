"""A hole in a stream of one symbol: when to ask the exchange for what is missing, and when to give up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from schemas.capture import NANOS

GRACE_NS = NANOS // 4
RETRY_NS = NANOS
PATIENCE_NS = 60 * NANOS

Record = Any  # a trade or a candle


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole that is closed. ``lost``: how many records stay missing; none: there may be some, nobody can say."""

    opened: int  # epoch ns
    closed: int
    first: str  # id, or time of a candle, of the first record that was missing; empty when nobody can say
    last: str
    filled: int
    lost: int | None


class Hole:
    """The times of a hole. All are times of reception in epoch ns; nothing in here asks or waits by itself.

    Records out of order close it within a quarter of a second. If they do not, the exchange is asked, again after a
    second if it cannot say or does not know the newest yet, and after a minute the hole is given up.
    """

    def __init__(self) -> None:
        self.opened: int | None = None
        self.asking = False
        self.asked = False  # since it was opened
        self.grown = False  # since the question that is under way: its answer is not all
        self._due: int | None = None

    @property
    def due(self) -> int | None:
        """When :meth:`ask` or :meth:`over` will say something new."""
        if self.opened is None or self.asking:
            return None
        return self._due

    def open(self, ns: int, grace_ns: int) -> None:
        """Something is missing, or may be."""
        self.grown = self.asking
        if self.opened is None:
            self.opened, self._due, self.asked = ns, ns + grace_ns, False

    def ask(self, ns: int) -> bool:
        """Whether to ask the exchange now. The answer is to be told by :meth:`retry` or :meth:`close`."""
        if self.due is None or ns < self.due:
            return False
        self.asking = self.asked = True
        self.grown = False
        return True

    def retry(self, ns: int, after_ns: int = RETRY_NS) -> None:
        """The answer did not close it."""
        self.asking, self._due = False, ns + after_ns

    def over(self, ns: int) -> bool:
        """Whether to give it up."""
        return self.opened is not None and ns - self.opened >= PATIENCE_NS

    def close(self) -> None:
        """Nothing is missing any more."""
        self.opened, self._due, self.asking = None, None, False


class Stretch(ABC):
    """What both kinds of stream share: a hole, what is held back behind it, and what came of the holes."""

    def __init__(self) -> None:
        self.hole = Hole()
        self.duplicates = self.reordered = self.corrected = 0
        self.gaps: list[Gap] = []  # to be taken by the owner
        self.torn = False
        self.since = 0  # when the last record before the hole can have come, epoch ns
        self._first = self._last = ""
        self._filled = self._lost = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is missing, as far as one can see."""
        return self.hole.opened is None and not self.torn

    def tear(self, since: int) -> None:
        """Whatever came ``since`` (epoch ns) may be missing; :meth:`resume` says when to ask for it."""
        if self.whole:
            self.since = since
        self.torn = True

    def failed(self, ns: int) -> list[Record]:
        """The exchange was asked, and gave no answer that can be used. What is given up with it, is free."""
        if self.hole.over(ns):
            return self.give_up(ns)
        self.hole.retry(ns)
        return []

    @abstractmethod
    def give_up(self, ns: int) -> list[Record]:
        """Let what is held back go, without what is missing."""

    def _missed(self, first: str, last: str) -> None:
        self._first, self._last = self._first or first, last

    def _closed(self, ns: int, lost: int | None) -> None:
        opened = self.hole.opened
        assert opened is not None
        if self._filled or lost != 0:
            self.gaps.append(Gap(opened, ns, self._first, self._last, self._filled, lost))
        elif not self.hole.asked:
            self.reordered += 1
        self._filled, self._lost, self._first, self._last = 0, 0, "", ""
        self.hole.close()
