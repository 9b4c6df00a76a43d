"""A stream whose records are numbered one by one: what is missing shows, and how much it is."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.feed.hole import GRACE_NS, RETRY_NS, Record, Stretch

REMEMBERED = 16
MOST_GIVEN_UP = 100_000


class Numbered(Stretch):
    """Puts records into the order of their numbers, each once.

    ``sparse``: a number may be empty, as a minute without a trade is. Then a hole does not show in the numbers, others
    say where one may be, and nothing is lost when the exchange has no record of a number. Such a record may come again
    with other values: the later one is right, and goes on, too.

    The first ones are held as long as a hole is left to close by itself: the earliest of them is where it begins.
    """

    def __init__(self, sparse: bool = False) -> None:
        super().__init__()
        self.next: int | None = None
        self.last: Record = None
        self._sparse = sparse
        self._held: dict[int, Record] = {}
        self._given_up: set[int] = set()
        self._recent: dict[int, Record] = {}

    def offer(self, number: int, record: Record, ns: int) -> list[Record]:
        """A record came on the socket. Returns what may go on now, in order."""
        if self.torn:
            self.resume(ns)
        if self.next is None and not self._sparse:
            self.duplicates += number in self._held
            self._held.setdefault(number, record)
            self.hole.open(ns, GRACE_NS)
            return []
        out = self._take(number, record)
        if self._held and self.hole.opened is None:
            self.since = ns
            self.hole.open(ns, GRACE_NS)
        elif not self._held and self.hole.opened is not None and not self.hole.asked:
            self._closed(ns, 0)
        return out

    def begin(self, ns: int) -> list[Record]:
        """The first records have had their time to come in order: they go on."""
        self.hole.close()
        self.next = min(self._held)
        out = self._drain()
        if self._held:
            self.since = ns
            self.hole.open(ns, 0)
        return out

    def resume(self, ns: int) -> None:
        """The stream flows again: now is the time to ask for what was missed."""
        if self.torn:
            self.torn = False
            if self.next is not None:
                self.hole.open(ns, 0)
                self.hole.asked = True  # even if nothing should be missing, it is no matter of order

    def answer(self, found: Sequence[tuple[int, Record]], ns: int) -> list[Record]:
        """All that the exchange has behind the last record that went on, by number."""
        before, waiting, out = self.next, set(self._held), []
        assert before is not None
        for number, record in found:
            if number >= before and number not in waiting:
                self._filled += 1
                name = str(record.ts if self._sparse else number)
                self._missed(name, name)
                out += self._take(number, record)
        newest = max((number for number, _ in found), default=-1)
        if not self.hole.grown:
            # What the exchange leaves out before the newest that it knows does not exist.
            out += self._skip(None if self._sparse else newest)
            if not self._held:
                self._closed(ns, self._lost)
                return out
        if self.hole.over(ns):
            return out + self.give_up(ns)
        self.hole.retry(ns, 0 if self.hole.grown else RETRY_NS)
        return out

    def give_up(self, ns: int) -> list[Record]:
        """Let what is held back go, without what is missing."""
        out = self.begin(ns) if self.next is None else []
        out += self._skip(None)
        if self.hole.opened is not None:
            self._closed(ns, None if self._sparse else self._lost)
        return out

    def _skip(self, upto: int | None) -> list[Record]:
        out = []
        while self._held and (upto is None or min(self._held) <= upto):
            first = min(self._held)
            missing = range(self.next or 0, first)
            if not self._sparse:
                self._lost += len(missing)
                self._missed(str(missing[0]), str(missing[-1]))
                self._given_up.update(missing[-MOST_GIVEN_UP:])
            self.next = first
            out += self._drain()
        return out

    def _take(self, number: int, record: Record) -> list[Record]:
        if self.next is None or (self._sparse and self._jumps(number, self.next)):
            self.next = number
        if number < self.next:
            return self._again(number, record)
        if number in self._held:
            self.duplicates += 1
            return []
        self._held[number] = record
        return self._drain()

    def _jumps(self, number: int, before: int) -> bool:
        """Whether it is the next one all the same: nothing is known to be missing, or the beginning was a guess."""
        if number < before:
            return self.last is None
        return number > before and self.hole.opened is None

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
            record = self.last = self._held.pop(self.next)
            out.append(record)
            if self._sparse:
                self._recent[self.next] = record
                self._recent.pop(self.next - REMEMBERED, None)
            self.next += 1
        return out
