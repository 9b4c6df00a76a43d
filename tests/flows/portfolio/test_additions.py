"""Additions to a position that is held: figures, stops, targets and limits."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from flows.outbox import new_outbox
from flows.portfolio.account import Account
from flows.portfolio.control.base import ALL
from flows.portfolio.control.unwind import withdraw
from schemas.ids import event_id
from tests.flows.portfolio.stories import BTC, Row, at, block, fields, fills, flat, settings, trade, wired, wish

TWICE: dict[str, Any] = {"entries.additions": 2, "broker.fee_pct": 0.1}
ROWS = [*flat((1, 2), 100.0), *flat((3,), 110.0), *flat((4,), 112.0), Row(5, 112, 112, 104, 104)]
WISHES = [wish(1, "long", 100.0, 95.0, 130.0), wish(3, "long", 110.0, 105.0, 140.0)]


def test_an_addition_makes_the_position_larger_and_takes_all_of_it_behind_the_nearer_stop() -> None:
    account, outbox = trade(settings(TWICE), ROWS, WISHES)
    assert fields(outbox["orders"], "ts", "leg", "type", "quantity", "stop", "target", "reduce_only") == [
        (1, "entry", "market", "1", "95", "130", False),
        (3, "add", "market", "1", "105", "140", False),
        (5, "stop", "stop", "2", None, None, True),
    ]
    assert fills(outbox) == [
        (2, "a", "entry", "buy", "1", "100", "0.10000000"),
        (4, "a", "add", "buy", "1", "112", "0.11200000"),
        (5, "a", "stop", "sell", "2", "105", "0.21000000"),
    ]
    names = ("ts", "status", "quantity", "entry_price", "stop", "target", "realised_pnl", "fees")
    assert fields(outbox["positions"], *names) == [
        (2, "open", "1", "100", "95", "130", "-0.10000000", "0.10000000"),
        (4, "open", "2", "106", "105", "140", "-0.21200000", "0.21200000"),
        (5, "closed", "2", "106", "105", "140", "-2.42200000", "0.42200000"),
    ]
    assert account.book.cash == Decimal("9997.578")
    entry, add, _ = outbox["orders"]
    assert add.id == event_id("main", "a", BTC, at(3), "add")
    assert {order.position_id for order in outbox["orders"]} == {entry.id}


def test_a_stop_that_is_farther_away_than_the_position_s_is_taken_to_it() -> None:
    wishes = [WISHES[0], wish(3, "long", 110.0, 90.0)]
    _, outbox = trade(settings(TWICE), ROWS[:4], wishes)
    assert fields(outbox["positions"], "quantity", "stop", "target")[-1] == ("2", "95", None)


def test_each_addition_keeps_its_target() -> None:
    rows = [*ROWS[:4], Row(5, 112, 131, 111, 130), Row(6, 130, 141, 129, 140)]
    _, outbox = trade(settings(TWICE), rows, WISHES)
    assert fields(outbox["fills"], "ts", "leg", "quantity", "price")[2:] == [
        (5, "target", "1", "130"),
        (6, "target", "1", "140"),
    ]
    assert fields(outbox["positions"], "status", "quantity", "entry_price", "exit_price")[2:] == [
        ("open", "1", "106", None),
        ("closed", "2", "106", "135"),
    ]
    assert len({order.id for order in outbox["orders"]}) == 4


def test_after_so_many_additions_a_wish_is_refused() -> None:
    wishes = [wish(minute, "long", 100.0, 95.0) for minute in (1, 2, 3, 4)]
    _, outbox = trade(settings(TWICE), flat(range(1, 6), 100.0), wishes)
    assert fields(outbox["orders"], "ts", "leg") == [(1, "entry"), (2, "add"), (3, "add")]
    assert [row.message for row in outbox["rejections"]] == ["INTENT_DUPLICATE: held=long"]


def test_a_wish_for_the_other_side_is_no_addition() -> None:
    wishes = [wish(1, "long", 100.0, 95.0), wish(3, "short", 110.0, 120.0)]
    _, outbox = trade(settings(TWICE), ROWS[:4], wishes)
    assert fields(outbox["orders"], "leg", "quantity") == [("entry", "1"), ("exit", "1"), ("entry", "1")]


def test_caps_on_a_position_count_what_is_held() -> None:
    rules = {"risk.max_position_pct": 1.5, "risk.over_cap": "refuse", "risk.max_open_positions": 1, **TWICE}
    wishes = [wish(1, "long", 100.0, 95.0), wish(2, "long", 100.0, 95.0)]
    _, outbox = trade(settings({**rules, "broker.fee_pct": 0}), flat((1, 2, 3), 100.0), wishes)
    assert [row.message for row in outbox["rejections"]] == ["POSITION_TOO_LARGE: notional=100 most=150 held=100"]
    rules |= {"risk.max_position_pct": 100.0, "risk.max_risk_pct": 0.08, "broker.fee_pct": 0}
    _, outbox = trade(settings(rules), flat((1, 2, 3), 100.0), wishes)
    assert [row.message for row in outbox["rejections"]] == ["RISK_TOO_LARGE: risk=5 most=8 held=5"]
    _, outbox = trade(settings({**rules, "risk.over_cap": "shrink"}), flat((1, 2, 3), 100.0), wishes)
    assert fields(outbox["orders"], "leg", "quantity") == [("entry", "1"), ("add", "0.6")]


@pytest.mark.parametrize(
    ("side", "prices", "stop"), [("long", (100.0, 100.01), "100.01"), ("short", (100.0, 100.01), "100")]
)
def test_break_even_is_the_average_entry_on_the_tick_towards_the_market(side: Any, prices: Any, stop: str) -> None:
    way = 1 if side == "long" else -1
    rows = [*flat((1, 2), prices[0]), *flat((3, 4), prices[1]), *flat((5,), 100.0 + 6 * way)]
    wishes = [wish(1, side, prices[0], 100.0 - 5 * way), wish(3, side, prices[1], 100.0 - 5 * way)]
    _, outbox = trade(settings({"entries.additions": 1, "exits.break_even_at": 1}), rows, wishes)
    assert fields(outbox["positions"], "entry_price", "stop")[-1] == ("100.005", stop)


def test_an_addition_that_waits_goes_with_its_position() -> None:
    rules = {"entries": {"type": "limit", "at": 1.0, "candles": 9, "additions": 1}, "broker.slippage_pct": 0}
    rows = [
        *flat((1,), 100.0),
        Row(2, 100, 100, 99, 100),
        *flat((3,), 100.0),
        Row(4, 100, 121, 99.5, 120),
        *flat((5,), 99.0),
    ]
    wishes = [wish(1, "long", 100.0, 95.0, 120.0), wish(3, "long", 100.0, 95.0, 120.0)]
    account, outbox = trade(settings(rules), rows, wishes)
    assert fields(outbox["fills"], "ts", "leg") == [(2, "entry"), (4, "target")]
    (alert,) = outbox["alerts"]
    assert (alert.code, alert.figures["order_id"], alert.figures["by"]) == (
        "ENTRY_WITHDRAWN",
        outbox["orders"][1].id,
        "target",
    )
    assert (account.desk.committed, account.desk.coming) == (0.0, 0)


def test_an_addition_to_a_position_that_is_about_to_go_is_withdrawn() -> None:
    """The time of the position ends with the candle at whose close it would be added to: that is an entry anew."""
    rules = {"entries.additions": 1, "exits.time_candles": 2}
    _, outbox = trade(
        settings(rules), flat(range(1, 5), 100.0), [wish(1, "long", 100.0, 95.0), wish(3, "long", 100.0, 95.0)]
    )
    assert fields(outbox["fills"], "ts", "leg") == [(2, "entry"), (4, "time"), (4, "entry")]


def test_an_addition_that_waits_for_its_price_is_withdrawn_when_the_position_is_about_to_go() -> None:
    """The candle at whose close the time is up reaches the addition, and then a stop of more than was to leave."""
    rules = {"entries.additions": 1, "entries.type": "limit", "entries.at": 1.0, "exits.time_candles": 2}
    rows = [Row(1, 100, 100, 99, 100), Row(2, 100, 100, 98.5, 100), Row(3, 100, 100, 90, 100), *flat((4,), 100.0)]
    _, outbox = trade(settings(rules), rows, [wish(1, "long", 100.0, 80.0), wish(2, "long", 100.0, 95.0)])
    assert fields(outbox["fills"], "ts", "leg", "quantity") == [(2, "entry", "1"), (4, "time", "1")]
    assert [(row.code, row.figures["by"]) for row in outbox["alerts"]] == [("ENTRY_WITHDRAWN", "exit")]


@pytest.mark.parametrize("stop", range(1, 5))
def test_an_account_that_was_put_back_goes_on_as_before(stop: int) -> None:
    rules = settings({**TWICE, "exits.ladder": [{"share_pct": 50, "at": 3}]})
    _, whole = trade(rules, ROWS, WISHES)
    account, outbox = Account(rules), new_outbox()
    first = block(ROWS[:stop], [one for one in WISHES if one.ts <= at(stop)])
    account.fold(first, first.signals, outbox)
    again = Account(rules)
    again.restore(pickle.loads(pickle.dumps(account.snapshot())))
    rest = block(ROWS[stop:], [one for one in WISHES if one.ts > at(stop)])
    again.fold(rest, rest.signals, outbox)
    assert wired(outbox) == wired(whole)


KELLY = {**TWICE, "risk.sizing": "kelly", "risk.kelly_fallback": "fixed_quantity", "broker.fee_pct": 0}


@pytest.mark.parametrize(
    ("minute", "candles"), [(None, 9), (4, 1), (4, 9), (6, 9)], ids=["none", "expired", "withdrawn", "at the exit"]
)
def test_an_addition_that_was_never_filled_was_never_at_risk(minute: int | None, candles: int) -> None:
    """Bought at 99, with 5 to the stop, and sold at 102, whatever else was wished for."""
    rules = {**KELLY, "entries.type": "limit", "entries.at": 1.0, "entries.candles": candles}
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 98, 100), *flat((4, 5), 100.0), *flat((6, 7, 8), 102.0)]
    wishes = [wish(2, "long", 100.0, 94.0), wish(7, "flat", 102.0)]
    if minute is not None:
        wishes.insert(1, wish(minute, "long", 100.0 if minute < 6 else 102.0, 91.0))
    account, outbox = trade(settings(rules), rows, wishes)
    assert fields(outbox["fills"], "leg", "price") == [("entry", "99"), ("exit", "102")]
    assert len(outbox["alerts"]) == (minute is not None)
    assert account.memory.trades == {"a": [0.6]}
    assert (account.memory.coming, account.memory.risked) == ({}, {})


def test_one_that_was_filled_was_at_risk_and_one_that_a_breaker_takes_back_was_not() -> None:
    wishes = [wish(minute, "long", 100.0, stop) for minute, stop in ((1, 95.0), (2, 97.0), (3, 96.0))]
    account, outbox = trade(settings(KELLY), flat((1, 2, 3), 100.0), wishes)
    (entry, _, last) = outbox["orders"]
    assert (account.memory.risked, account.memory.coming) == ({entry.id: 8.0}, {last.id: 4.0})
    withdraw(account, account.desk.notices, ALL, "drawdown", outbox)
    assert (account.memory.risked, account.memory.coming) == ({entry.id: 8.0}, {})
