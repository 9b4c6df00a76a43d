"""A feed that says candles to an aligner, for the tests of whom it waits for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flows.portfolio.align import Aligner, Block, Notice
from schemas.slices import Slices, notice
from tests.flows.portfolio.stories import MINUTE, Row, at, minute_of, slices

HOUR = 60 * MINUTE
TWO = ("one", "two")


class Feed:
    """Says candles to an aligner, one push for each, and pops after each."""

    def __init__(self, lateness: int = HOUR, shards: tuple[str, ...] = ("one",)) -> None:
        self.aligner, self.shards = Aligner(lateness), shards
        self.upto = dict.fromkeys(shards, 0)
        self.notices: list[Notice] = []

    def say(self, minute: int, *symbols: str, shard: str = "one", **more: Any) -> Block | None:
        """A candle of each symbol at a minute; its price is the minute."""
        rows = [Row(minute, minute, minute, minute, minute, symbol) for symbol in symbols]
        return self.push(slices(rows, shard=shard, watermark=-1, first=self.upto[shard], **more))

    def give_up(self, minute: int, shard: str = "one") -> Block | None:
        """The wait for an instant has lasted five seconds."""
        return self.push(notice(shard, self.shards, self.upto[shard], at(minute), "timeout", 5_000))

    def push(self, said: Slices) -> Block | None:
        self.upto[said.shard] = max(said.upto, self.upto.get(said.shard, 0))
        self.notices = self.aligner.push(replace(said, shards=self.shards))
        return self.aligner.pop()

    def codes(self) -> list[tuple[str, str | None, int]]:
        return [(one.code, one.symbol, minute_of(one.ts)) for one in self.notices]

    def waits(self) -> tuple[int, dict[str, int]]:
        instant, behind = self.aligner.waiting()
        assert all(reach < instant for reach in behind.values())
        return minute_of(instant) if instant >= 0 else -1, {name: self.aligner.shards[name].upto for name in behind}


def begun(*symbols: str, **more: Any) -> Feed:
    """A feed of one shard whose symbols are known, with all of them said at minute 1."""
    feed = Feed(**more)
    feed.say(1, *symbols)
    feed.give_up(1)
    assert feed.notices == []
    assert feed.waits() == (-1, {})
    return feed
