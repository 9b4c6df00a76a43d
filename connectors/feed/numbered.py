"""A stream whose records are numbered one by one: what is missing shows, and how much it is."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.feed.hole import GRACE_NS, Record, Stretch

REMEMBERED = 16


class Numbered(Stretch[int]):
    """Puts records into the order of their numbers, each once.

    ``sparse``: a number may be empty, as a minute without a trade is. Then nothing is lost when the exchange has no
    record of it. Such a record may come again with other values: the later one is right, and goes on, too.
    """

    def __init__(self, sparse: bool = False) -> None:
        super().__init__()
        self.next: int | None = None
        self._sparse = sparse
        self._held: dict[int, Record] = {}
        self._given_up: set[int] = set()
        self._recent: dict[int, Record] = {}

    def offer(self, number: int, record: Record, ns: int) -> list[Record]:
        """A record came on the socket. Returns what may go on now, in order."""
        if self.torn:
            self.resume(ns)
        out = self._take(number, record)
        if self._held:
            self._open(ns, GRACE_NS)
        elif self.hole.opened is not None and not self.hole.asking and not self.hole.asked:
            self._closed(ns, 0)
        return out

    def resume(self, ns: int) -> None:
        """The stream flows again: now is the time to ask for what was missed."""
        if self.torn:
            self.torn = False
            if self.next is not None:
                self._open(ns, 0)
                self.hole.asked = True  # even if nothing should be missing, it is no matter of order

    def _open(self, ns: int, grace_ns: int) -> None:
        if self.hole.opened is None:
            self._after = "" if self.next is None else str(self.next - 1)
        self.hole.open(ns, grace_ns)

    def answer(self, found: Sequence[tuple[int, Record]], ns: int, full: bool) -> list[Record]:
        """The exchange's answer, by number. ``full``: it is a page as large as they get, so there may be more."""
        before, out = self.next, []
        assert before is not None
        for number, record in found:
            fresh = number >= before and number not in self._held
            self._filled += fresh
            out += self._take(number, record) if fresh else []
        newest = max((number for number, _ in found), default=-1)
        if full and self.next != before:
            self.hole.retry(ns, 0)
        elif not self._held:
            self._closed(ns, 0)
        elif newest >= min(self._held) or (self._sparse and not full) or self.hole.over(ns):
            out += self.give_up(ns)
        else:
            self.hole.retry(ns)
        return out

    def give_up(self, ns: int) -> list[Record]:
        """What is missing before what is held does not exist, or cannot be had."""
        out, lost = [], 0
        while self._held:
            assert self.next is not None
            first = min(self._held)
            lost += first - self.next
            self._given_up.update(range(self.next, min(first, self.next + 100_000)))
            self.next = first
            out += self._drain()
        self._closed(ns, 0 if self._sparse else lost)
        return out

    def _take(self, number: int, record: Record) -> list[Record]:
        if self.next is None:
            self.next = number
        if number < self.next:
            return self._again(number, record)
        if number in self._held:
            self.duplicates += 1
            return []
        self._held[number] = record
        return self._drain()

    def _again(self, number: int, record: Record) -> list[Record]:
        if number in self._given_up:
            self._given_up.discard(number)
            return [record]
        known = self._recent.get(number)
        if self._sparse and known is not None and known != record:
            self._recent[number] = record
            self.corrected += 1
            return [record]
        self.duplicates += 1
        return []

    def _drain(self) -> list[Record]:
        out = []
        while self.next in self._held:
            record = self._held.pop(self.next)
            out.append(record)
            if self._sparse:
                self._recent[self.next] = record
                self._recent.pop(self.next - REMEMBERED, None)
            self.next += 1
        return out
