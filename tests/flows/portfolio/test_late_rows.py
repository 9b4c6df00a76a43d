"""What becomes of rows that come after their instant was said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flows.portfolio.align import Notice
from schemas.slices import END, Slices
from tests.flows.portfolio.stories import BTC, ETH, Row, at, flat, minute_of, rows_of, slices, wish
from tests.flows.portfolio.waits import Feed, begun


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
