"""The small machines of a feed: waiting, limits, heartbeats, clocks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.exchanges.interface import Heartbeat
from connectors.feed.backoff import FIRST_S, LONGEST_S, Backoff
from connectors.feed.budget import Budget
from connectors.feed.pulse import Pulse
from connectors.feed.skew import Skew
from connectors.feed.ticks import HOLD_NS, Ticks
from connectors.feed.watch import STALE_NS, Watch
from schemas.capture import NANOS


@given(some.lists(some.tuples(some.floats(0, 1, exclude_max=True), some.floats(0, 100)), max_size=40))
def test_a_wait_is_a_random_part_of_a_time_that_doubles_until_a_connection_was_good(tries: Any) -> None:
    draws = iter([draw for draw, _ in tries])
    backoff, longest = Backoff(draws.__next__), FIRST_S
    for draw, lasted in tries:
        longest = FIRST_S if lasted >= 30 else longest
        assert backoff.after(lasted) == draw * longest
        longest = min(2 * longest, LONGEST_S)


@given(some.integers(1, 50), some.lists(some.tuples(some.integers(0, 20), some.integers(1, 5)), max_size=60))
def test_in_no_minute_is_more_used_than_twice_the_budget_and_over_time_no_more_than_it(amount: int, asks: Any) -> None:
    budget, now, used = Budget(amount, 60.0), 0, []
    for later, weight in asks:
        now += later * NANOS
        used.append((now + budget.wait_ns(now, weight), weight))
    if used:
        took = (used[-1][0] - used[0][0]) / NANOS
        assert sum(weight for _, weight in used) <= amount * (1 + took / 60) + 5
    assert [at for at, _ in used] == sorted(at for at, _ in used)


def test_what_an_exchange_forbids_for_a_while_is_waited_for() -> None:
    budget = Budget(6_000, 60.0)
    assert budget.wait_ns(0, 25) == 0
    budget.closed(7 * NANOS)
    assert budget.wait_ns(NANOS, 25) == 6 * NANOS + NANOS // 4


def test_a_connection_is_asked_in_its_rhythm_and_dead_after_its_silence() -> None:
    pulse = Pulse(Heartbeat(silence_s=12, ping_s=5), 0)
    seen = []
    for second in range(30):
        if second in (3, 6):
            pulse.heard(second * NANOS)
        seen.append((second, pulse.act(second * NANOS)))
    assert [one for one in seen if one[1]][:4] == [(5, "ping"), (10, "ping"), (15, "ping"), (18, "dead")]


def test_without_pings_silence_is_all_that_counts() -> None:
    pulse = Pulse(Heartbeat(silence_s=10), 5)
    assert (pulse.due, pulse.act(10 * NANOS + 4), pulse.act(10 * NANOS + 5)) == (10 * NANOS + 5, None, "dead")


def test_the_skew_is_the_second_largest_of_the_last_minute_and_deaf_to_nonsense() -> None:
    skew = Skew()
    assert skew.ms is None
    skew.see(1_000, 1_050)
    assert skew.ms == 50
    skew.see(1_500, 1_600)
    assert skew.ms == 100
    skew.see(2_000, 2_020)
    assert skew.ms == 20
    skew.see(3_000, 90_000_000_000)
    assert skew.ms == 20
    skew.see(4_000, 4_300)
    assert skew.ms == 100
    skew.see(61_500, 61_510)
    assert skew.ms == 20
    skew.see(63_000, 63_005)
    assert skew.ms == 10


def test_ticks_are_of_whole_seconds_and_never_fall() -> None:
    ticks = Ticks()
    assert ticks.upto(5 * NANOS + 7, 200, hold=False) == []
    assert ticks.due == 6 * NANOS
    assert ticks.upto(6 * NANOS, 200, hold=False) == [6_200]
    assert ticks.upto(9 * NANOS + 1, -2_900, hold=False) == []
    assert ticks.upto(10 * NANOS, -2_900, hold=False) == [7_100]
    assert ticks.upto(11 * NANOS, None, hold=False) == []


def test_ticks_wait_for_a_hole_five_minutes_and_no_longer() -> None:
    ticks, held = Ticks(), HOLD_NS // NANOS
    ticks.upto(0, 0, hold=False)
    assert ticks.upto(2 * NANOS, 0, hold=False) == [1_000, 2_000]
    said = [(second, ticks.upto(second * NANOS, 0, hold=True)) for second in range(3, held + 6)]
    assert [one for one in said if one[1]] == [(3 + held, [(3 + held) * 1_000]), (4 + held, [(4 + held) * 1_000]),
                                               (5 + held, [(5 + held) * 1_000])]  # fmt: skip
    assert ticks.upto((held + 6) * NANOS, 0, hold=False) == [(held + 6) * 1_000]
    assert ticks.upto((held + 7) * NANOS, 0, hold=True) == []


@pytest.mark.parametrize(("kind", "timeframe", "seconds"), [("trades", "", 300), ("candles", "1m", 300),
                                                            ("candles", "1h", 7_200)])  # fmt: skip
def test_a_stream_is_stale_once_until_it_brings_something(kind: str, timeframe: str, seconds: int) -> None:
    watch = Watch()
    watch.expect(kind, "A/B", 0, timeframe)
    assert list(watch.look(seconds * NANOS - 1, None)) == []
    found = [("FEED_STALE", "A/B", {"records": kind, "seconds": seconds})]
    assert list(watch.look(seconds * NANOS, None)) == found
    assert (list(watch.look(2 * seconds * NANOS, None)), watch.stale) == ([], 1)
    watch.saw(kind, "A/B", 2 * seconds * NANOS)
    assert (list(watch.look(2 * seconds * NANOS + 1, None)), watch.stale) == ([], 0)
    assert list(watch.look(3 * seconds * NANOS, None)) == found
    assert STALE_NS == 300 * NANOS


def test_clocks_that_are_apart_are_told_once_until_they_are_not() -> None:
    watch = Watch()
    told = [[code for code, *_ in watch.look(0, skew)] for skew in (None, 1_000, 1_001, 5_000, 900, -1_001)]
    assert told == [[], [], ["FEED_CLOCK"], [], [], ["FEED_CLOCK"]]
