"""Whom the aligner waits for, and what a time-out changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.portfolio.align import Notice
from schemas.slices import END, notice
from tests.flows.portfolio.stories import BTC, ETH, MINUTE, SOL, at, flat, rows_of, slices
from tests.flows.portfolio.waits import TWO, Feed, begun

XRP = "XRP/USDT"


def test_a_silent_symbol_holds_back_its_instant_until_it_comes() -> None:
    feed = begun(BTC, ETH)
    assert feed.say(2, BTC) is None
    assert feed.waits() == (2, {"one": 3})
    assert rows_of(feed.say(2, ETH)) == [(2, BTC, 2.0), (2, ETH, 2.0)]
    assert feed.waits() == (-1, {})


def test_a_silent_symbol_is_passed_by_the_watermark() -> None:
    feed = begun(BTC, ETH)
    assert feed.say(2, BTC) is None
    found = feed.push(replace(slices(flat((9,), 9.0), shard="one", watermark=at(5)), upto=4))
    assert rows_of(found) == [(2, BTC, 2.0)]
    assert found is not None
    assert found.watermark == at(5)
    assert feed.waits() == (9, {"one": 4})


def test_for_the_lateness_a_shard_holds_back_because_its_symbols_may_not_all_be_known() -> None:
    feed = Feed(lateness=3 * MINUTE)
    assert [feed.say(10, BTC), feed.say(11, BTC), feed.say(11, ETH), feed.say(12, BTC), feed.say(12, ETH)] == [None] * 5
    assert feed.waits() == (12, {"one": 5})
    assert feed.say(13, BTC) is not None
    assert feed.waits() == (13, {"one": 6})
    assert rows_of(feed.say(13, ETH)) == [(13, BTC, 13.0), (13, ETH, 13.0)]


def test_a_time_out_ends_that_too() -> None:
    feed = Feed(lateness=3 * MINUTE)
    feed.say(10, BTC, ETH)
    assert feed.waits() == (10, {"one": 2})
    assert rows_of(feed.give_up(10)) == [(10, BTC, 10.0), (10, ETH, 10.0)]
    assert feed.notices == []
    assert feed.say(11, BTC) is None
    assert rows_of(feed.say(11, ETH)) == [(11, BTC, 11.0), (11, ETH, 11.0)]


def test_the_first_row_of_a_new_symbol_is_never_late_and_then_it_is_waited_for() -> None:
    feed = begun(BTC)
    assert rows_of(feed.say(2, BTC)) == [(2, BTC, 2.0)]
    assert feed.say(2, ETH) is None
    assert feed.notices == []
    assert feed.say(3, BTC) is None
    assert rows_of(feed.say(3, ETH)) == [(3, BTC, 3.0), (3, ETH, 2.0), (3, ETH, 3.0)]


def test_a_shard_that_is_there_later_is_waited_for_and_its_symbols_are_new() -> None:
    feed = begun(BTC)
    feed.shards, feed.upto["two"] = TWO, 0
    assert feed.say(2, BTC) is None
    assert feed.waits() == (2, {"two": 0})
    assert feed.say(2, ETH, shard="two") is None
    assert feed.waits() == (2, {"two": 1})
    assert rows_of(feed.give_up(2, "two")) == [(2, BTC, 2.0), (2, ETH, 2.0)]
    assert feed.notices == []
    assert feed.say(3, BTC) is None
    assert rows_of(feed.say(3, ETH, shard="two")) == [(3, BTC, 3.0), (3, ETH, 3.0)]


def test_a_symbol_that_moves_to_another_shard_is_waited_for_there() -> None:
    feed = begun(BTC, ETH)
    feed.shards, feed.upto["two"] = TWO, 0
    feed.say(2, BTC)
    feed.say(2, ETH, shard="two")
    assert rows_of(feed.give_up(2, "two")) == [(2, BTC, 2.0), (2, ETH, 2.0)]
    assert feed.say(3, BTC) is None
    assert feed.waits() == (3, {"two": 1})
    assert rows_of(feed.give_up(3, "two")) == [(3, BTC, 3.0)]
    assert feed.codes() == [("SYMBOL_QUIET", ETH, 3)]
    assert rows_of(feed.say(4, BTC)) == [(4, BTC, 4.0)]


def test_a_shard_whose_symbols_have_all_moved_is_not_waited_for() -> None:
    feed = begun(BTC)
    feed.shards, feed.upto["two"] = TWO, 0
    feed.say(2, BTC, shard="two")
    feed.give_up(2, "two")
    assert [rows_of(feed.say(minute, BTC, shard="two")) for minute in (3, 4)] == [[(3, BTC, 3.0)], [(4, BTC, 4.0)]]


def test_an_older_row_of_a_symbol_that_moved_takes_its_place_in_time() -> None:
    feed = begun(BTC, ETH)
    feed.shards, feed.upto["two"] = TWO, 0
    feed.say(3, BTC, shard="two")
    feed.give_up(3, "two")
    assert feed.say(2, BTC) is None
    assert feed.say(2, ETH) is not None
    assert feed.notices == []
    assert rows_of(feed.say(3, ETH)) == [(3, BTC, 3.0), (3, ETH, 3.0)]


# -- time-outs ----------------------------------------------------------------------------------------------------


def test_a_symbol_that_is_given_up_on_is_not_waited_for_until_it_returns() -> None:
    feed = begun(BTC, ETH, SOL)
    feed.say(2, BTC, SOL)
    assert rows_of(feed.give_up(2)) == [(2, BTC, 2.0), (2, SOL, 2.0)]
    assert feed.notices == [
        Notice("SYMBOL_QUIET", at(2), "one", 5, ETH, {"waited_s": 5.0, "last_ts": at(1), "alive": 2})
    ]
    assert feed.say(3, BTC) is None
    assert rows_of(feed.say(3, SOL)) == [(3, BTC, 3.0), (3, SOL, 3.0)]
    assert feed.say(4, ETH) is None
    assert feed.notices == []
    assert feed.say(4, BTC) is None
    assert rows_of(feed.say(4, SOL)) == [(4, BTC, 4.0), (4, ETH, 4.0), (4, SOL, 4.0)]
    assert feed.say(5, BTC, SOL) is None
    assert feed.waits() == (5, {"one": 12})


def test_each_quiet_symbol_of_a_shard_is_told_by_its_name() -> None:
    feed = begun(BTC, ETH, SOL)
    feed.say(2, BTC)
    feed.give_up(2)
    assert [(one.symbol, one.figures["alive"]) for one in feed.notices] == [(ETH, 1), (SOL, 1)]


def test_a_shard_of_which_nothing_comes_is_told_once() -> None:
    feed = Feed(shards=TWO)
    feed.say(1, BTC, ETH)
    feed.say(1, SOL, XRP, shard="two")
    feed.give_up(1, "one")
    feed.give_up(1, "two")
    assert feed.say(2, SOL, XRP, shard="two") is None
    assert feed.waits() == (2, {"one": 2})
    assert rows_of(feed.give_up(2, "one")) == [(2, SOL, 2.0), (2, XRP, 2.0)]
    assert feed.notices == [
        Notice("FEED_STALE", at(2), "one", 2, None, {"waited_s": 5.0, "symbols": 2, "last_ts": at(1)})
    ]
    assert rows_of(feed.say(3, SOL, XRP, shard="two")) == [(3, SOL, 3.0), (3, XRP, 3.0)]
    assert feed.say(4, ETH, shard="one") is None
    assert rows_of(feed.say(4, SOL, XRP, shard="two")) == [(4, ETH, 4.0), (4, SOL, 4.0), (4, XRP, 4.0)]


def test_a_shard_of_which_the_rest_falls_silent_is_stale_as_a_whole() -> None:
    feed = Feed(shards=TWO)
    feed.say(1, BTC, ETH)
    feed.say(1, SOL, shard="two")
    feed.give_up(1, "one")
    feed.give_up(1, "two")
    feed.say(2, BTC)
    feed.say(2, SOL, shard="two")
    feed.give_up(2, "one")
    assert feed.codes() == [("SYMBOL_QUIET", ETH, 2)]
    feed.say(3, SOL, shard="two")
    feed.give_up(3, "one")
    assert feed.notices == [
        Notice("FEED_STALE", at(3), "one", 3, None, {"waited_s": 5.0, "symbols": 1, "last_ts": at(2)})
    ]


def test_the_only_symbol_of_a_shard_is_told_by_its_name() -> None:
    feed = Feed(shards=TWO)
    feed.say(1, BTC)
    feed.say(1, SOL, shard="two")
    for shard in TWO:
        feed.give_up(1, shard)
    feed.say(2, SOL, shard="two")
    assert rows_of(feed.give_up(2, "one")) == [(2, SOL, 2.0)]
    assert feed.notices == [
        Notice("SYMBOL_QUIET", at(2), "one", 1, BTC, {"waited_s": 5.0, "last_ts": at(1), "alive": 0})
    ]


def test_an_empty_shard_is_given_up_until_it_speaks() -> None:
    feed = Feed(shards=TWO)
    feed.say(1, BTC)
    feed.give_up(1, "one")
    assert feed.waits() == (1, {"two": 0})
    assert rows_of(feed.give_up(1, "two")) == [(1, BTC, 1.0)]
    assert feed.notices == [Notice("SHARD_EMPTY", at(1), "two", 0, None, {"waited_s": 5.0})]
    assert feed.give_up(1, "two") is None
    assert feed.notices == []
    assert rows_of(feed.say(2, BTC)) == [(2, BTC, 2.0)]
    assert feed.say(3, ETH, shard="two") is None
    assert rows_of(feed.say(3, BTC)) == [(3, BTC, 3.0), (3, ETH, 3.0)]
    assert feed.say(4, BTC) is None
    assert feed.waits() == (4, {"two": 1})


def test_slices_without_rows_do_not_bring_an_empty_shard_back() -> None:
    feed = Feed(shards=TWO)
    feed.say(1, BTC)
    feed.give_up(1, "one")
    feed.give_up(1, "two")
    assert feed.push(replace(slices([], shard="two", watermark=-1), upto=7)) is None
    assert rows_of(feed.say(2, BTC)) == [(2, BTC, 2.0)]


@pytest.mark.parametrize("minute", [1, 2])
def test_a_time_out_for_an_instant_that_has_been_reached_changes_nothing(minute: int) -> None:
    feed = begun(BTC, ETH)
    feed.say(2, BTC, ETH)
    feed.say(3, BTC)
    assert feed.give_up(minute) is None
    assert feed.notices == []
    assert feed.waits() == (3, {"one": 5})


def test_a_time_out_that_is_said_again_changes_nothing() -> None:
    feed = begun(BTC, ETH)
    feed.say(2, BTC)
    assert feed.give_up(2) is not None
    assert feed.give_up(2) is None
    assert feed.notices == []


def test_a_time_out_does_not_touch_what_came_before_it() -> None:
    """Between the decision to give up and its entry in the journal the candle may come."""
    feed = begun(BTC, ETH, SOL)
    feed.say(2, BTC)
    feed.say(2, ETH)
    feed.give_up(2)
    assert feed.codes() == [("SYMBOL_QUIET", SOL, 2)]


def test_when_all_are_given_up_on_what_was_said_comes_and_the_stream_stays_open() -> None:
    feed = Feed(shards=TWO)
    feed.push(slices(flat((1, 2), 1.0), shard="one"))
    feed.say(1, ETH, shard="two")
    found = feed.give_up(9, "two")
    assert rows_of(found) == [(1, BTC, 1.0), (1, ETH, 1.0), (2, BTC, 1.0)]
    assert found is not None
    assert found.watermark == at(2)
    assert feed.waits() == (-1, {})
    found = feed.push(slices(flat((2, 3), 3.0, ETH), shard="two"))
    assert rows_of(found)[1:] == [(3, ETH, 3.0)]
    assert feed.codes() == [("CANDLE_LATE", ETH, 2)]
    assert found is not None
    assert found.watermark == END


def test_silence_is_told_and_changes_nothing() -> None:
    feed = begun(BTC, ETH)
    feed.say(2, BTC)
    assert feed.push(notice("one", ("one",), 3, at(2), "silence", 90_000)) is None
    assert feed.notices == [Notice("FEED_STALE", at(2), "one", 3, None, {"silent_s": 90.0, "last_ts": at(2)})]
    assert feed.waits() == (2, {"one": 3})
    assert rows_of(feed.say(2, ETH)) == [(2, BTC, 2.0), (2, ETH, 2.0)]


def test_silence_of_a_shard_that_never_spoke_has_no_instant() -> None:
    feed = Feed()
    feed.push(notice("one", ("one",), 0, -1, "silence", 90_000))
    assert feed.notices == [Notice("FEED_STALE", 0, "one", 0, None, {"silent_s": 90.0, "last_ts": -1})]
