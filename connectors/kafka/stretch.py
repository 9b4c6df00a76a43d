"""Stretches: partitions from one offset to another, read once more without anybody noticing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from confluent_kafka import Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.feed import DEFAULTS, WITHIN_S, Feed, OffsetLostError, SourceError, SourceHooks
from connectors.kafka.partition import IDLE, Partition

ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """The messages of a partition from offset ``begin`` on, up to and without ``end``."""

    topic: str
    partition: int
    begin: int
    end: int

    @property
    def name(self) -> str:
        """``TOPIC-NUMBER``, as everywhere."""
        return f"{self.topic}-{self.partition}"


def feed_of(client: Mapping[str, Any], deployment: str, topic: str, on_trouble: Callable[[str, str], None]) -> Feed:
    """For reading a topic that a deployment reads, too: its offsets stay as they are."""
    return Feed(dict(client), f"{deployment}.replay", topic, "messages", SourceHooks(on_trouble=on_trouble))


def stretches(feed: Feed) -> list[Stretch]:
    """All that can be read of a topic now. Raises SourceError when the broker or the topic is not there."""
    count, asking = feed.partitions, feed.consumer()
    try:
        parts = [TopicPartition(feed.topic, number) for number in range(count)]
        found = feed.ask(lambda: [asking.get_watermark_offsets(part, WITHIN_S) for part in parts])
    finally:
        asking.close()
    return [Stretch(feed.topic, number, *bounds) for number, bounds in enumerate(found)]


def topic_id(feed: Feed) -> str:
    """The id of a topic: one that was deleted and made anew has another. Some brokers give none."""
    admin = AdminClient({**DEFAULTS, **feed.client})
    asked = admin.describe_topics(TopicCollection([feed.topic]), request_timeout=WITHIN_S)
    return str(feed.ask(lambda: asked[feed.topic].result()).topic_id)


class Stretched:
    """Hands over the messages of a stretch, from ``offset`` on; nobody's offsets are touched."""

    def __init__(self, feed: Feed, stretch: Stretch, offset: int | None = None) -> None:
        self.offset, self._stretch = stretch.begin if offset is None else offset, stretch
        self._partition = None if self.done else Partition(feed, stretch.partition, self.offset, lambda _: self.offset)

    @property
    def done(self) -> bool:
        """Whether all has been handed over."""
        return self.offset >= self._stretch.end

    def take(self, count: int) -> list[Message]:
        """What has come in the meantime. Raises OffsetLostError when it is not on the broker any more."""
        if self._partition is None or self.done:
            return []
        try:
            messages = self._partition.take(count)
        except OffsetLostError:
            raise lost(self._stretch, self.offset) from None
        self.offset = self._partition.offset  # it may lie behind marks of transactions, of which nothing is seen
        return [message for message in messages if (message.offset() or 0) < self._stretch.end]

    def next_awake(self) -> datetime | None:
        """At once as long as there is something; a few milliseconds later when there was nothing."""
        return None if self._partition is None or self.done else self._partition.next_awake()

    def close(self) -> None:
        """Leave the broker."""
        if self._partition is not None:
            self._partition.close()


def lost(stretch: Stretch, offset: int) -> OffsetLostError:
    """What should be replayed is gone."""
    return OffsetLostError(
        f"{stretch.name}: offsets {offset} to {stretch.end - 1} are to be replayed, but the broker does not have all "
        "of them any more: retention has deleted some. Start anew with what is left: give another --out, or --overwrite"
    )


def read(feed: Feed, stretch: Stretch) -> Iterator[list[Message]]:
    """All messages of a stretch. Waits for the broker as long as it takes, once it has been there."""
    part = Stretched(feed, stretch)
    try:
        while not part.done:
            messages = part.take(ROWS)
            if messages:
                yield messages
            elif not part.done:
                time.sleep(IDLE.total_seconds())
    finally:
        part.close()


def assert_there(there: Sequence[Stretch], wanted: Sequence[Stretch], *, same: bool) -> None:
    """Raises OffsetLostError or SourceError when stretches of an earlier time cannot be read again.

    ``same``: the topic has the id that it had.
    """
    known = {one.name: one for one in there}
    for one in wanted:
        now = known.get(one.name)
        if not same or now is None or now.end < one.end:
            raise SourceError(
                f"{one.topic} was made anew since the run began, so it cannot be finished: give another --out, or "
                "--overwrite to start anew"
            )
        if one.begin < min(now.begin, one.end):
            raise lost(one, one.begin)
