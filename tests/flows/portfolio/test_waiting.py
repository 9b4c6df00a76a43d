"""Whom the aligner waits for, what a time-out changes, and what becomes of what comes after it."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.portfolio.align import Aligner, Block, Notice
from schemas.slices import END, Cause, Slices, notice
from tests.flows.portfolio.stories import BTC, ETH, MINUTE, SOL, Row, among, at, flat, minute_of, rows_of, slices, wish

XRP = "XRP/USDT"
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


# -- who is waited for --------------------------------------------------------------------------------------------


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


# -- late rows ----------------------------------------------------------------------------------------------------


def late_feed() -> Feed:
    """ETH was given up on at minutes 2 and 3, which have been said."""
    feed = begun(BTC, ETH)
    feed.say(2, BTC)
    feed.give_up(2)
    feed.say(3, BTC)
    return feed


def test_late_rows_are_taken_at_the_next_instant_before_the_timely_one_of_their_symbol() -> None:
    feed = late_feed()
    late = slices([Row(2, 2, 2, 2, 2, ETH), Row(3, 3, 3, 3, 3, ETH)], shard="one", watermark=-1, first=4)
    assert feed.push(late) is None
    figures = {"candles": 2, "first_ts": at(2), "last_ts": at(3), "said_ts": at(4) - 1}
    assert feed.notices == [Notice("CANDLE_LATE", at(3), "one", 6, ETH, figures)]
    assert feed.waits() == (-1, {})
    assert feed.say(4, ETH) is None
    assert feed.notices == []
    assert rows_of(feed.say(4, BTC)) == [(4, BTC, 4.0), (4, ETH, 2.0), (4, ETH, 3.0), (4, ETH, 4.0)]


def test_a_symbol_is_waited_for_again_once_it_speaks_in_time() -> None:
    feed = late_feed()
    feed.say(2, ETH)
    assert rows_of(feed.say(4, BTC)) == [(4, BTC, 4.0), (4, ETH, 2.0)], "a late row has woken it"
    assert feed.say(5, ETH) is None
    assert rows_of(feed.say(5, BTC)) == [(5, BTC, 5.0), (5, ETH, 5.0)]
    assert feed.say(6, BTC) is None
    assert feed.waits() == (6, {"one": 9})
    assert rows_of(feed.give_up(6)) == [(6, BTC, 6.0)]
    assert feed.codes() == [("SYMBOL_QUIET", ETH, 6)]


def test_late_rows_alone_come_right_behind_what_was_said() -> None:
    feed = late_feed()
    feed.say(3, ETH)
    found = feed.push(slices([], shard="one", watermark=END, first=5))
    assert rows_of(found) == [(4, ETH, 3.0)]


def test_the_signals_of_a_late_row_come_with_it_and_keep_their_time() -> None:
    feed = late_feed()
    feed.push(slices(flat((3,), 3.0, ETH), [wish(3, "long", 3.0, symbol=ETH)], "one", -1, 4))
    feed.push(slices(flat((4,), 4.0, ETH), [wish(4, "flat", 4.0, symbol=ETH)], "one", -1, 5))
    found = feed.push(slices(flat((4,), 4.0), [wish(4, "long", 4.0)], "one", -1, 6))
    assert found is not None
    assert [(minute_of(one.ts), one.symbol, one.side) for one in found.signals] == [
        (3, ETH, "long"),
        (4, BTC, "long"),
        (4, ETH, "flat"),
    ]


def with_flat(minutes: tuple[int, ...], then: Row, first: int) -> Slices:
    """Flat candles of ETH that a row made clear, before it."""
    said = slices([*flat(minutes, 1.0, ETH), then], shard="one", watermark=-1)
    return replace(said, position=np.full(len(said), first), upto=first + 1)


def test_flat_candles_of_a_quiet_symbol_are_taken_at_the_next_instant_and_do_not_bring_it_back() -> None:
    feed = late_feed()
    found = feed.push(with_flat((2, 3), Row(4, 4, 4, 4, 4), 4))
    assert feed.notices == []
    assert rows_of(found) == [(4, BTC, 4.0), (4, ETH, 1.0), (4, ETH, 1.0)]
    assert rows_of(feed.say(5, BTC)) == [(5, BTC, 5.0)]


def test_a_quiet_symbol_returns_with_the_candle_behind_its_flat_ones() -> None:
    feed = late_feed()
    assert feed.push(with_flat((2, 3), Row(4, 4, 4, 4, 4, ETH), 4)) is None
    assert feed.notices == []
    assert rows_of(feed.say(4, BTC)) == [(4, BTC, 4.0), (4, ETH, 1.0), (4, ETH, 1.0), (4, ETH, 4.0)]
    assert feed.say(5, BTC) is None


# -- anything, in any order ---------------------------------------------------------------------------------------

HOME = {BTC: "one", ETH: "one", SOL: "two", XRP: "two"}


@st.composite
def journals(draw: st.DrawFn) -> list[Slices]:
    """Slices of two shards, with rows of each symbol in the order of time, time-outs and silence; then the end."""
    minute, upto = dict.fromkeys(HOME, 0), dict.fromkeys(TWO, 0)
    entries: list[Slices] = []
    for _ in range(draw(st.integers(0, 25))):
        shard = draw(st.sampled_from(TWO))
        kind: Cause = draw(st.sampled_from(("candles", "candles", "candles", "timeout", "silence")))
        if kind != "candles":
            instant = at(draw(st.integers(0, 15)))
            entries.append(notice(shard, TWO, upto[shard], instant, kind, draw(st.integers(0, 9_000))))
            continue
        rows = []
        for symbol in draw(st.lists(st.sampled_from([name for name in HOME if HOME[name] == shard]), max_size=3)):
            minute[symbol] += draw(st.sampled_from((1, 1, 1, 2, 4)))
            rows.append(Row(minute[symbol], 1, 9, 1, minute[symbol] / 4, symbol))
        wishes = [wish(row.minute, "flat", row.close, symbol=row.symbol) for row in rows if draw(st.booleans())]
        said = slices(rows, wishes, shard, -1, upto[shard])
        if len(rows) > 1 and draw(st.booleans()):  # the first of them flat candles, made by the last one
            said = replace(said, position=np.full(len(rows), said.upto - 1))
        upto[shard] = said.upto
        entries.append(said)
    entries += [slices([], (), shard, END, upto[shard]) for shard in draw(st.permutations(TWO))]
    return among(TWO, entries)


def folded(entries: list[Slices], stops: set[int], lateness: int) -> list[tuple[list[Any], Any]]:
    """Notices and block of each entry; restarted before some of them."""
    aligner = Aligner(lateness)
    found: list[tuple[list[Any], Any]] = []
    for number, entry in enumerate(entries):
        if number in stops:
            state = pickle.dumps(aligner.snapshot())
            aligner = Aligner(lateness)
            aligner.restore(pickle.loads(state))
        notices = [(one.code, one.ts, one.shard, one.upto, one.symbol, one.figures) for one in aligner.push(entry)]
        block = aligner.pop()
        if block is None:
            found.append((notices, None))
            continue
        names = [block.symbols[slot] for slot in block.slot.tolist()]
        rows = list(zip(block.ts.tolist(), names, block.close.tolist(), strict=True))
        signals = [signal.id for signal in block.signals]
        found.append((notices, (rows, signals, block.watermark, aligner.waiting())))
    return found


@settings(deadline=None, max_examples=300)
@given(journals(), st.sets(st.integers(0, 27)), st.sampled_from((0, 2 * MINUTE, HOUR)))
def test_any_journal_gives_every_row_once_in_the_order_of_time_whenever_it_was_restarted(
    entries: list[Slices], stops: set[int], lateness: int
) -> None:
    whole = folded(entries, set(), lateness)
    assert folded(entries, stops, lateness) == whole
    blocks = [block for _, block in whole if block is not None]
    done = -1
    for rows, _, watermark, _ in blocks:
        assert [row[:2] for row in rows] == sorted(row[:2] for row in rows)
        assert all(done < ts <= watermark for ts, *_ in rows)
        assert watermark > done
        done = watermark
    assert done == END
    came = [(symbol, close) for rows, *_ in blocks for _, symbol, close in rows]
    for symbol in HOME:
        own = [one.close[row] for one in entries for row, slot in enumerate(one.slot) if one.symbols[slot] == symbol]
        assert [close for name, close in came if name == symbol] == own  # its own order is the order of time
    signals = [signal for _, ids, *_ in blocks for signal in ids]
    assert sorted(signals) == sorted(signal.id for one in entries for signal in one.signals)
    ids = [(code, shard, symbol, upto, ts) for notices, _ in whole for code, ts, shard, upto, symbol, _ in notices]
    told = [one for one in ids if one[0] != "FEED_STALE" or one[4] < 0]
    assert len(told) == len(set(told))


@settings(deadline=None, max_examples=100)
@given(journals())
def test_what_is_waited_for_is_what_a_time_out_sets_free(entries: list[Slices]) -> None:
    aligner = Aligner(2 * MINUTE)
    for entry in entries:
        aligner.push(entry)
        aligner.pop()
        instant, behind = aligner.waiting()
        if instant < 0:
            continue
        assert behind
        again = Aligner(2 * MINUTE)
        again.restore(aligner.snapshot())
        for shard in behind:
            again.push(notice(shard, TWO, aligner.shards[shard].upto, instant, "timeout", 1_000))
        block = again.pop()
        assert block is not None
        assert block.watermark >= instant
        assert again.waiting() == (-1, {})
