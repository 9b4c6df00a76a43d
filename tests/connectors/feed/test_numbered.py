"""Records in the order of their numbers. A record is its own number here; times are in ms."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.exchanges.interface import CANDLE
from connectors.feed.hole import GRACE_NS, PATIENCE_NS, Gap
from connectors.feed.numbered import Numbered

MS = 1_000_000
GRACE, PATIENCE = GRACE_NS // MS, PATIENCE_NS // MS


def offered(order: Numbered, *numbers: int, ms: int = 0) -> list[Any]:
    return [out for number in numbers for out in order.offer(number, number, ms * MS)]


def begun(*numbers: int) -> Numbered:
    """A stream at work."""
    order = Numbered()
    assert offered(order, *numbers) == []
    assert order.begin(GRACE * MS) == sorted(numbers)
    assert order.whole
    return order


def asked(order: Numbered, ms: int) -> None:
    assert order.hole.ask(ms * MS)


def pairs(*numbers: int) -> list[tuple[int, int]]:
    return [(number, number) for number in numbers]


def test_the_first_ones_wait_for_an_earlier_one_and_begin_with_it() -> None:
    order = Numbered()
    assert offered(order, 7, 6, 7, 8) == []
    assert (order.hole.due, order.duplicates) == (GRACE_NS, 1)
    assert order.begin(GRACE_NS) == [6, 7, 8]
    assert (order.next, order.last, order.whole, order.gaps) == (9, 8, True, [])


def test_a_hole_among_the_first_ones_is_asked_for_at_once() -> None:
    order = Numbered()
    assert offered(order, 5, 8) == []
    assert order.begin(GRACE_NS) == [5]
    assert (order.whole, order.hole.due) == (False, GRACE_NS)
    asked(order, GRACE)
    assert order.answer(pairs(6, 7), 300 * MS) == [6, 7, 8]
    assert order.gaps == [Gap(GRACE_NS, 300 * MS, "6", "7", 2, 0)]


def test_in_order_they_go_on_at_once_and_the_same_one_only_once() -> None:
    order = begun(1)
    assert offered(order, 2, 3, 3, 2, 4, ms=500) == [2, 3, 4]
    assert (order.duplicates, order.reordered, order.gaps) == (2, 0, [])


def test_out_of_order_they_are_put_in_order_and_nobody_is_asked() -> None:
    order = begun(1)
    assert offered(order, 4, 3, ms=500) == []
    assert order.hole.due == 500 * MS + GRACE_NS
    assert not order.hole.ask(500 * MS + GRACE_NS - 1)
    assert offered(order, 2, ms=600) == [2, 3, 4]
    assert (order.reordered, order.gaps, order.whole) == (1, [], True)
    assert order.hole.due is None


def test_a_hole_is_filled_from_history_and_what_came_meanwhile_follows() -> None:
    order = begun(1)
    assert offered(order, 4, ms=500) == []
    asked(order, 750)
    assert order.hole.due is None
    assert offered(order, 5, ms=760) == []
    assert order.answer(pairs(2, 3, 4), 800 * MS) == [2, 3, 4, 5]
    assert order.gaps == [Gap(500 * MS, 800 * MS, "2", "3", 2, 0)]
    assert order.whole


def test_what_the_socket_brings_while_history_is_asked_is_no_loss_and_no_double() -> None:
    order = begun(1)
    offered(order, 4, ms=500)
    asked(order, 750)
    assert offered(order, 2, ms=760) == [2]
    assert order.answer(pairs(2, 3, 4), 800 * MS) == [3, 4]
    assert order.gaps == [Gap(500 * MS, 800 * MS, "3", "3", 1, 0)]


def test_what_history_leaves_out_before_its_newest_does_not_exist() -> None:
    order = begun(1)
    offered(order, 5, ms=500)
    asked(order, 750)
    assert order.answer(pairs(2, 4, 5), 800 * MS) == [2, 4, 5]
    assert order.gaps == [Gap(500 * MS, 800 * MS, "2", "3", 2, 1)]


def test_history_that_does_not_know_the_newest_yet_is_asked_again_a_second_later() -> None:
    order = begun(1)
    offered(order, 5, ms=500)
    asked(order, 750)
    assert order.answer(pairs(2), 800 * MS) == [2]
    assert (order.hole.due, order.gaps) == (1_800 * MS, [])
    asked(order, 1_800)
    assert order.answer(pairs(3, 4), 1_900 * MS) == [3, 4, 5]
    assert order.gaps == [Gap(500 * MS, 1_900 * MS, "2", "4", 3, 0)]


def test_no_answer_is_asked_again_and_given_up_after_a_minute_to_the_nanosecond() -> None:
    order = begun(1)
    offered(order, 4, 6, ms=500)
    asked(order, 750)
    assert order.failed(800 * MS) == []
    assert order.hole.due == 1_800 * MS
    asked(order, 1_800)
    last = 500 * MS + PATIENCE_NS
    assert order.failed(last - 1) == []
    assert (order.hole.over(last - 1), order.hole.over(last)) == (False, True)
    assert order.give_up(last) == [4, 6]
    assert order.gaps == [Gap(500 * MS, last, "2", "5", 0, 3)]


def test_an_answer_that_comes_too_late_to_ask_again_is_used_and_the_rest_given_up() -> None:
    order = begun(1)
    offered(order, 5, ms=500)
    asked(order, 750)
    assert order.answer(pairs(2), 500 * MS + PATIENCE_NS) == [2, 5]
    assert order.gaps == [Gap(500 * MS, 500 * MS + PATIENCE_NS, "2", "4", 1, 2)]


def test_one_that_was_given_up_still_goes_on_once() -> None:
    order = begun(1)
    offered(order, 4, ms=500)
    asked(order, 750)
    order.failed(PATIENCE_NS)
    order.give_up(PATIENCE_NS + 500 * MS)
    assert offered(order, 3, 3, 2, 5, ms=90_000) == [3, 2, 5]
    assert order.duplicates == 1


def test_after_a_break_history_is_asked_though_no_hole_shows() -> None:
    order = begun(1)
    order.tear(400 * MS)
    assert (order.whole, order.since, order.hole.due) == (False, 400 * MS, None)
    order.resume(500 * MS)
    assert order.hole.due == 500 * MS
    asked(order, 500)
    assert offered(order, 3, ms=510) == []
    assert order.answer(pairs(2), 520 * MS) == [2, 3]
    assert order.gaps == [Gap(500 * MS, 520 * MS, "2", "2", 1, 0)]


def test_a_break_in_which_nothing_was_traded_is_no_gap() -> None:
    order = begun(1)
    order.tear(400 * MS)
    order.resume(500 * MS)
    asked(order, 500)
    assert order.answer([], 520 * MS) == []
    assert (order.gaps, order.reordered, order.whole) == ([], 0, True)


def test_a_break_while_history_is_asked_is_asked_for_too() -> None:
    order = begun(1)
    offered(order, 3, ms=500)
    asked(order, 750)
    order.tear(760 * MS)
    order.resume(800 * MS)
    assert order.answer(pairs(2, 3), 810 * MS) == [2, 3]
    assert order.hole.due == 810 * MS
    asked(order, 810)
    assert order.answer(pairs(4), 900 * MS) == [4]
    assert order.gaps == [Gap(500 * MS, 900 * MS, "2", "4", 2, 0)]


@pytest.mark.parametrize("numbers", [(1, 5, 9), (3, 4)])
def test_what_waits_at_the_end_is_let_go(numbers: tuple[int, ...]) -> None:
    order = Numbered()
    offered(order, *numbers)
    assert order.give_up(100 * MS) == list(numbers)


def candle(number: int) -> Any:
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0)
    return CANDLE(symbol="A/B", timeframe="1m", ts=number * 60_000, **prices)


def candles(*numbers: int) -> list[tuple[int, Any]]:
    return [(number, candle(number)) for number in numbers]


class TestSparse:
    """Candles: a number may be empty."""

    def test_the_first_goes_on_at_once_and_numbers_may_be_left_out(self) -> None:
        order = Numbered(sparse=True)
        assert [out for number in (3, 4, 8) for out in order.offer(number, number, 0)] == [3, 4, 8]
        assert (order.next, order.whole, order.gaps) == (9, True, [])

    def test_another_value_of_one_that_is_known_goes_on_and_counts_as_corrected(self) -> None:
        order = Numbered(sparse=True)
        order.offer(3, "three", 0)
        assert order.offer(3, "three", 1) == []
        assert order.offer(3, "THREE", 2) == ["THREE"]
        assert order.offer(3, "THREE", 3) == []
        assert (order.duplicates, order.corrected) == (2, 1)

    def test_a_beginning_that_was_expected_is_asked_for_when_the_line_broke_before_it(self) -> None:
        order = Numbered(sparse=True)
        order.next = 3
        order.tear(0)
        order.resume(10 * MS)
        asked(order, 10)
        assert order.offer(5, 5, 11 * MS) == []
        assert order.answer(candles(3, 4), 20 * MS) == [candle(3), candle(4), 5]
        assert [(gap.filled, gap.lost) for gap in order.gaps] == [(2, 0)]

    def test_a_beginning_that_was_guessed_too_late_is_no_duplicate(self) -> None:
        order = Numbered(sparse=True)
        order.next = 4
        assert [out for number in (3, 4) for out in order.offer(number, number, 0)] == [3, 4]
        assert order.duplicates == 0

    def test_after_a_break_the_next_ones_wait_for_the_answer(self) -> None:
        order = Numbered(sparse=True)
        order.offer(3, 3, 0)
        order.tear(0)
        order.resume(10 * MS)
        asked(order, 10)
        assert order.offer(7, 7, 11 * MS) == []
        assert order.answer(candles(3, 5), 20 * MS) == [candle(5), 7]
        assert [(gap.filled, gap.lost) for gap in order.gaps] == [(1, 0)]

    def test_without_an_answer_nobody_knows_what_is_lost(self) -> None:
        order = Numbered(sparse=True)
        order.offer(3, 3, 0)
        order.tear(0)
        order.resume(10 * MS)
        asked(order, 10)
        order.offer(7, 7, 11 * MS)
        assert order.failed(10 * MS + PATIENCE_NS) == [7]
        assert order.gaps == [Gap(10 * MS, 10 * MS + PATIENCE_NS, "", "", 0, None)]
