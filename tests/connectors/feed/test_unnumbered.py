"""Trades whose ids only tell them apart. Times are in ms."""

from __future__ import annotations

from typing import Any

from connectors.exchanges.interface import TRADE
from connectors.feed.hole import PATIENCE_NS, Gap
from connectors.feed.unnumbered import REMEMBERED, Unnumbered

MS = 1_000_000


def trade(name: str, ts: int = 0) -> Any:
    return TRADE(symbol="A/B", ts=ts, id=name, price=1.0, amount=1.0, side="buy")


def offered(order: Unnumbered, *names: str, ms: int = 0, ts: int = 0) -> list[str]:
    return [out.id for name in names for out in order.offer(trade(name, ts), ms * MS)]


def torn(order: Unnumbered, ms: int) -> None:
    order.tear(ms * MS)
    order.resume(ms * MS)
    assert order.hole.ask(ms * MS)


def ids(out: list[Any]) -> list[str]:
    return [one.id for one in out]


def test_each_goes_on_once() -> None:
    order = Unnumbered()
    assert offered(order, "a", "b", "a", "c") == ["a", "b", "c"]
    assert (order.duplicates, order.whole) == (1, True)


def test_only_so_many_are_remembered() -> None:
    order = Unnumbered()
    offered(order, *map(str, range(REMEMBERED + 1)))
    assert offered(order, "1", "0") == ["0"]


def test_before_the_first_one_a_break_means_nothing() -> None:
    order = Unnumbered()
    order.tear(0)
    order.resume(10 * MS)
    assert (order.whole, offered(order, "a")) == (True, ["a"])


def test_behind_a_break_they_wait_until_history_reaches_them() -> None:
    order = Unnumbered()
    offered(order, "a", ts=1)
    torn(order, 10)
    assert offered(order, "d", "e", ms=20, ts=9) == []
    assert ids(order.answer([trade("b", 3)], 30 * MS)) == ["b"]
    assert order.hole.due == 1_030 * MS
    assert order.hole.ask(1_030 * MS)
    assert ids(order.answer([trade("b", 3), trade("c", 5), trade("d", 9)], 1_100 * MS)) == ["c", "d", "e"]
    assert order.gaps == [Gap(10 * MS, 1_100 * MS, "b", "c", 2, 0)]
    assert (order.whole, order.duplicates) == (True, 0)


def test_those_of_one_instant_stay_in_their_order() -> None:
    order = Unnumbered()
    offered(order, "a", ts=1)
    torn(order, 10)
    offered(order, "z", "y", ms=20, ts=5)
    assert ids(order.answer([trade("q", 4), trade("p", 4), trade("z", 5)], 30 * MS)) == ["q", "p", "z", "y"]


def test_nothing_is_missing_when_history_has_nothing_new() -> None:
    order = Unnumbered()
    offered(order, "a", ts=1)
    torn(order, 10)
    assert order.answer([trade("a", 1)], 30 * MS) == []
    assert (order.gaps, order.whole) == ([], True)


def test_without_an_answer_they_go_on_after_a_minute_and_nobody_knows_what_is_lost() -> None:
    order = Unnumbered()
    offered(order, "a", ts=1)
    torn(order, 10)
    offered(order, "d", ms=20, ts=9)
    assert order.failed(10 * MS + PATIENCE_NS - 1) == []
    assert ids(order.failed(10 * MS + PATIENCE_NS)) == ["d"]
    assert order.gaps == [Gap(10 * MS, 10 * MS + PATIENCE_NS, "", "", 0, None)]


def test_a_history_that_never_reaches_them_is_used_as_far_as_it_goes() -> None:
    order = Unnumbered()
    offered(order, "a", ts=1)
    torn(order, 10)
    offered(order, "d", ms=20, ts=9)
    assert ids(order.answer([trade("b", 3)], 10 * MS + PATIENCE_NS)) == ["b", "d"]
    assert order.gaps == [Gap(10 * MS, 10 * MS + PATIENCE_NS, "b", "b", 1, None)]


def test_a_second_break_while_history_is_asked_is_asked_for_at_once() -> None:
    order = Unnumbered()
    offered(order, "a", ts=1)
    torn(order, 10)
    order.tear(15 * MS)
    order.resume(18 * MS)
    assert ids(order.answer([trade("b", 3)], 30 * MS)) == ["b"]
    assert (order.hole.due, order.gaps) == (30 * MS, [])
