from __future__ import annotations

from dataclasses import replace

from flows.portfolio.align import Aligner
from flows.waiting import Waiting
from schemas.config.market import MarketConfig
from schemas.slices import Slices
from schemas.tick import Tick
from tests.flows.portfolio.stories import BTC, ETH, MINUTE, SOL, Row, at, minute_of, slices

SHARDS = ("one", "two")
WAIT, STALE = 5_000, 60_000
BEGAN = 1_000_000
"""The wall clock, ms, when a story begins."""

Entry = tuple[str, str, int, int, int]


class Live:
    """An aligner, and the wait in front of it. What is asked for comes back through the journal at once, or later."""

    def __init__(self, shards: tuple[str, ...] = SHARDS, at_once: bool = True) -> None:
        self.shards, self.at_once = shards, at_once
        self.aligner = Aligner(0)  # symbols are known with their first candle
        self.waiting = Waiting(MarketConfig(max_wait="5s", stale_after="1m"))
        self.upto = dict.fromkeys(shards, 0)
        self.journal: list[Slices] = []

    def say(self, minute: int, *symbols: str, shard: str = "one") -> None:
        """A candle of each symbol at a minute."""
        rows = [Row(minute, minute, minute, minute, minute, symbol) for symbol in symbols]
        said = slices(rows, shard=shard, watermark=-1, first=self.upto[shard])
        self.upto[shard] = said.upto
        self.push(replace(said, shards=self.shards))

    def push(self, said: Slices) -> list[tuple[str, str | None]]:
        notices = self.aligner.push(said)
        self.aligner.pop()
        return [(one.code, one.symbol) for one in notices]

    def tick(self, shard: str, after_ms: int, upto: int | None = None) -> list[Entry]:
        """What a tick leads to: cause, shard, position, minute, milliseconds waited."""
        found = self.waiting.tick(
            Tick(shard, self.upto[shard] if upto is None else upto, BEGAN + after_ms), self.aligner
        )
        self.journal += found
        if self.at_once:
            for one in found:
                self.push(one)
        return [(one.cause, one.shard, one.upto, minute_of(one.watermark), one.waited_ms) for one in found]


def begun(at_once: bool = True) -> Live:
    """Two shards that have said minute 1, with nothing held back."""
    live = Live(at_once=at_once)
    live.say(1, BTC)
    live.say(1, ETH, shard="two")
    assert live.aligner.said == at(2) - 1
    return live


def test_a_shard_at_its_end_that_is_behind_is_given_up_on_after_the_wait() -> None:
    live = begun()
    live.say(2, BTC)
    assert live.tick("two", 0) == []
    assert live.tick("two", WAIT - 1) == []
    assert live.tick("two", WAIT) == [("timeout", "two", 1, 2, WAIT)]
    assert live.aligner.said == at(3) - 1
    (entry,) = live.journal
    assert (entry.shards, len(entry), entry.signals) == (SHARDS, 0, ())


def test_the_wait_begins_when_the_first_tick_of_any_shard_sees_it() -> None:
    live = begun()
    live.say(2, BTC)
    live.tick("one", 100)
    assert live.tick("two", WAIT + 99) == []
    assert live.tick("two", WAIT + 100) == [("timeout", "two", 1, 2, WAIT)]


def test_the_shard_that_the_others_are_behind_is_not_given_up_on() -> None:
    live = begun()
    live.say(2, BTC)
    live.tick("one", 0)
    assert live.tick("one", 10 * WAIT) == []


def test_a_shard_that_is_still_reading_is_waited_for_as_long_as_it_takes() -> None:
    live = begun()
    live.say(2, BTC)
    for second in range(100):  # shard two gives no tick: it is not at its end
        assert live.tick("one", 1_000 * second) == []
    live.say(2, ETH, shard="two")
    assert live.tick("two", 100_000) == []


def test_what_is_still_on_its_way_through_the_journal_is_waited_for() -> None:
    live = begun()
    live.say(2, BTC)
    live.tick("two", 0)
    assert live.tick("two", WAIT, upto=2) == []  # it has read a message that the aligner has not seen
    live.say(2, ETH, shard="two")
    assert live.tick("two", WAIT + 1_000) == []
    assert live.aligner.said == at(3) - 1


def test_a_shard_that_nobody_has_heard_of_is_not_spoken_of() -> None:
    live = Live()
    assert live.tick("one", 0) == []
    assert live.tick("one", 10 * STALE) == []


def test_a_time_out_is_asked_for_once_while_it_is_on_its_way() -> None:
    live = begun(at_once=False)
    live.say(2, BTC)
    live.tick("two", 0)
    assert live.tick("two", WAIT) == [("timeout", "two", 1, 2, WAIT)]
    assert live.tick("two", WAIT + 1_000) == []
    assert live.tick("two", WAIT + 9_000) == []
    assert live.push(live.journal[0]) == [("SYMBOL_QUIET", ETH)]
    assert live.tick("two", WAIT + 10_000) == []


def test_of_several_instants_the_newest_that_is_due_is_given_up_on_and_the_next_has_its_own_wait() -> None:
    live = begun(at_once=False)
    for minute, when in ((2, 0), (3, 1_000), (4, 3_000)):
        live.say(minute, BTC)
        assert live.tick("two", when) == []
    assert live.tick("two", WAIT + 1_000) == [("timeout", "two", 1, 3, WAIT)]
    assert live.tick("two", WAIT + 2_000) == []
    assert live.tick("two", WAIT + 3_000) == [("timeout", "two", 1, 4, WAIT)]


def test_each_shard_that_is_behind_is_given_up_on() -> None:
    live = Live(("one", "two", "three"))
    live.say(1, BTC)
    live.say(1, ETH, shard="two")
    live.say(1, SOL, shard="three")
    live.say(2, BTC)
    live.tick("one", 0)
    assert live.tick("two", WAIT) == [("timeout", "two", 1, 2, WAIT)]
    assert live.aligner.said == at(2) - 1
    assert live.tick("three", WAIT + 200) == [("timeout", "three", 1, 2, WAIT + 200)]
    assert live.aligner.said == at(3) - 1


def test_who_speaks_again_is_waited_for_again() -> None:
    live = begun()
    live.say(2, BTC)
    live.tick("two", 0)
    live.tick("two", WAIT)
    live.say(3, BTC)
    assert live.aligner.said == at(4) - 1  # two is not waited for
    live.say(4, ETH, shard="two")
    live.say(4, BTC)
    live.say(5, BTC)
    assert live.aligner.said == at(5) - 1
    assert live.tick("two", 20_000) == []
    assert live.tick("two", 20_000 + WAIT) == [("timeout", "two", 2, 5, WAIT)]


def test_a_shard_on_which_nothing_ever_came_is_given_up_on_too() -> None:
    live = Live()
    live.say(1, BTC)
    assert live.tick("two", 0) == []
    assert live.tick("two", WAIT) == [("timeout", "two", 0, 1, WAIT)]
    assert live.aligner.said == at(2) - 1
    live.say(2, BTC)
    assert live.aligner.said == at(3) - 1
    assert live.tick("two", 10 * STALE) == []  # and nobody calls it silent


def test_a_clock_that_is_set_back_makes_every_wait_begin_again() -> None:
    live, back_ms = begun(), 3_600_000
    live.say(2, BTC)
    live.tick("two", 0)
    assert live.tick("two", 4_000 - back_ms) == []
    assert live.tick("two", 4_000 - back_ms + WAIT) == [("timeout", "two", 1, 2, WAIT)]
    assert live.tick("one", 0) == []
    assert live.tick("one", -back_ms) == []
    assert live.tick("one", STALE + MINUTE - back_ms) == [("silence", "one", 2, 2, STALE + MINUTE)]


def test_a_shard_that_is_silent_for_longer_than_its_timeframe_and_the_limit_is_told_once() -> None:
    live = begun()
    assert live.tick("one", 0) == []
    assert live.tick("one", STALE + MINUTE - 1) == []
    assert live.tick("one", STALE + MINUTE) == [("silence", "one", 1, 1, STALE + MINUTE)]
    assert live.tick("one", STALE + 2 * MINUTE) == []
    assert live.tick("one", 10 * STALE) == []


def test_it_is_told_once_even_while_that_is_on_its_way() -> None:
    live = begun(at_once=False)
    live.tick("one", 0)
    assert live.tick("one", STALE + MINUTE) == [("silence", "one", 1, 1, STALE + MINUTE)]
    assert live.tick("one", STALE + MINUTE + 1_000) == []
    assert live.push(live.journal[0]) == [("FEED_STALE", None)]
    assert live.push(live.journal[0]) == []


def test_a_later_candle_ends_the_silence_and_the_next_one_is_told_again() -> None:
    live = begun()
    live.tick("one", 0)
    live.tick("one", STALE + MINUTE)
    live.say(2, BTC)
    live.say(2, ETH, shard="two")
    began = 5 * MINUTE
    assert live.tick("one", began) == []
    assert live.tick("one", began + STALE + MINUTE) == [("silence", "one", 2, 2, STALE + MINUTE)]


def test_the_silence_that_an_earlier_process_told_is_not_told_again() -> None:
    live = begun()
    live.tick("one", 0)
    live.tick("one", STALE + MINUTE)
    live.waiting = Waiting(MarketConfig(max_wait="5s", stale_after="1m"))
    live.tick("one", 3 * STALE)
    assert live.tick("one", 10 * STALE) == []


def test_a_shard_can_be_given_up_on_and_be_silent_at_the_same_tick() -> None:
    live = begun()
    live.tick("two", 0)
    live.say(2, BTC)
    live.tick("two", STALE)
    assert live.tick("two", STALE + MINUTE) == [
        ("timeout", "two", 1, 2, MINUTE),
        ("silence", "two", 1, 1, STALE + MINUTE),
    ]
