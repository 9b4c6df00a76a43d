"""Reading dead letters, and whether they have been published again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from connectors.kafka.connection import Connection
from connectors.kafka.decode import explain
from connectors.kafka.tail import Seen, Tail
from schemas.deadletter import DeadLetter


@dataclass(frozen=True, slots=True)
class Unread:
    """A message of the topic that is no dead letter, and why."""

    seen: Seen
    why: str


def letters(tail: Tail, since: int | None) -> Iterator[tuple[Seen, DeadLetter] | Unread]:
    """What stands on the topic of dead letters, from a time (epoch ms) on."""
    starts = tail.starts("beginning") if since is None else tail.since(since)
    for seen in tail.until_end(starts):
        try:
            yield seen, DeadLetter.model_validate_json(seen.value or b"")
        except ValidationError as wrong:
            yield Unread(seen, explain(wrong))


def requeued(connection: Connection, wanted: Iterable[DeadLetter], header: str) -> dict[str, Seen]:
    """Which of some dead letters of topics stand on their topic again, by their ids.

    A letter is looked for behind the place where it was read, in its partition. It is not found when retention or
    compaction has removed it, nor as long as it lies behind a transaction of somebody else that is open.
    """
    places: dict[str, dict[int, int]] = {}
    ids = set()
    for letter in wanted:
        assert letter.partition is not None
        starts = places.setdefault(letter.source, {})
        starts[letter.partition] = min(letter.position, starts.get(letter.partition, letter.position))
        ids.add(letter.id)
    found = {}
    for topic, starts in places.items():
        tail = Tail(connection, topic)
        try:
            first = {number: max(at, tail.ranges[number][0]) for number, at in starts.items() if number in tail.ranges}
            for seen in tail.until_end({number: min(at, tail.ranges[number][1]) for number, at in first.items()}):
                for name, value in seen.headers:
                    if name == header and value is not None and (id_ := value.decode(errors="replace")) in ids:
                        found[id_] = seen
        finally:
            tail.close()
    return found
