"""A stream of trades whose ids only tell them apart: a hole does not show in them, but an overlap closes it."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.feed.hole import RETRY_NS, Record, Stretch

REMEMBERED = 20_000


class Unnumbered(Stretch):
    """Lets trades go on, each once. Behind a hole they are held until the exchange's history reaches the first of them.

    Whether something is missing, others say: a connection was lost, or its own sequence numbers had a hole.
    """

    def __init__(self) -> None:
        super().__init__()
        self.last: Record = None
        self._seen: dict[str, None] = {}
        self._held: list[Record] = []

    def offer(self, record: Record, ns: int) -> list[Record]:
        """A trade came on the socket. Returns what may go on now."""
        if self.torn:
            self.resume(ns)
        if record.id in self._seen:
            self.duplicates += 1
            return []
        self._see(record)
        if self.hole.opened is not None:
            self._held.append(record)
            return []
        self.last = record
        return [record]

    def resume(self, ns: int) -> None:
        """The stream flows again: now is the time to ask for what was missed."""
        if self.torn:
            self.torn = False
            if self.last is not None:
                self.hole.open(ns, 0)
                self.hole.asked = True

    def answer(self, found: Sequence[Record], ns: int) -> list[Record]:
        """All that the exchange has behind the last trade that went on, oldest first."""
        waiting = {record.id for record in self._held}
        new = [record for record in found if record.id not in self._seen]
        for record in new:
            self._see(record)
            self._missed(record.id, record.id)
        self._filled += len(new)
        first = self._held[0] if self._held else None
        reached = first is None or any(record.id in waiting or record.ts > first.ts for record in found)
        if (self.hole.grown or not reached) and not self.hole.over(ns):
            self.hole.retry(ns, 0 if self.hole.grown else RETRY_NS)
            return self._go_on(new)
        out = sorted([*new, *self._held], key=lambda record: record.ts)  # stable: at one instant, as they came
        self._held = []
        self._closed(ns, 0 if reached else None)
        return self._go_on(out)

    def give_up(self, ns: int) -> list[Record]:
        """Let go what is held, though something may be missing before it."""
        out, self._held = self._held, []
        self._closed(ns, None)
        return self._go_on(out)

    def _go_on(self, out: list[Record]) -> list[Record]:
        if out:
            self.last = out[-1]
        return out

    def _see(self, record: Record) -> None:
        self._seen[record.id] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
