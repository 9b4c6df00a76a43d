"""Positions that leave in parts: each story with every figure."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from flows.outbox import new_outbox
from flows.portfolio.account import Account
from schemas.ids import event_id
from tests.flows.portfolio.stories import BTC, Row, at, block, fields, fills, flat, settings, trade, wired, wish

LADDER: dict[str, Any] = {
    "exits.ladder": [{"share_pct": 50, "at": 1}, {"share_pct": 25, "at": 1.6}],
    "risk.quantity": "4",
    "broker.fee_pct": 0.1,
}
"""Of 4 units from 100 with a stop at 95: 2 leave at 105, 1 at 108, 1 at the target of the signal."""


def test_a_ladder_leaves_rung_by_rung_and_the_stop_follows_what_is_left() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 106, 99, 104), Row(4, 104, 109, 103, 107), Row(5, 107, 107, 93, 94)]
    account, outbox = trade(settings(LADDER), rows, [wish(1, "long", 100.0, 95.0, 120.0)])
    assert fills(outbox) == [
        (2, "a", "entry", "buy", "4", "100", "0.40000000"),
        (3, "a", "target", "sell", "2", "105", "0.21000000"),
        (4, "a", "target", "sell", "1", "108", "0.10800000"),
        (5, "a", "stop", "sell", "1", "95", "0.09500000"),
    ]
    names = ("ts", "status", "quantity", "stop", "target", "exit_price", "exit_leg", "realised_pnl", "fees")
    assert fields(outbox["positions"], *names) == [
        (2, "open", "4", "95", "120", None, None, "-0.40000000", "0.40000000"),
        (3, "open", "2", "95", "120", None, None, "9.39000000", "0.61000000"),
        (4, "open", "1", "95", "120", None, None, "17.28200000", "0.71800000"),
        (5, "closed", "4", "95", "120", "103.25", "stop", "12.18700000", "0.81300000"),
    ]
    assert account.book.cash == Decimal("10012.187")
    assert account.state()["counts"] == {"orders": 4, "fills": 4, "rejections": 0, "positions_closed": 1}


def test_the_entry_tells_its_tranches() -> None:
    _, outbox = trade(settings(LADDER), flat((1, 2), 100.0), [wish(1, "long", 100.0, 95.0, 120.0)])
    assert fields(outbox["orders"][0].tranches, "quantity", "stop", "target") == [
        ("2", "95", "105"),
        ("1", "95", "108"),
        ("1", "95", "120"),
    ]


@pytest.mark.parametrize(
    ("candle", "exits"),
    [
        (Row(3, 100, 130, 99, 120), [("target", "2", "105"), ("target", "1", "108"), ("target", "1", "120")]),
        (Row(3, 100, 130, 95, 120), [("stop", "4", "95")]),
        (Row(3, 106, 130, 95, 120), [("target", "2", "106"), ("stop", "2", "95")]),
        (Row(3, 106, 109, 96, 100), [("target", "2", "106"), ("target", "1", "108")]),
        (Row(3, 125, 130, 90, 95), [("target", "2", "125"), ("target", "1", "125"), ("target", "1", "125")]),
        (Row(3, 90, 130, 90, 95), [("stop", "4", "90")]),
    ],
    ids=[
        "all targets inside",
        "the stop comes first, once for all",
        "it opens beyond the first target, then the stop comes first",
        "it opens beyond the first target and reaches the second",
        "it opens beyond all targets",
        "it opens beyond the stop",
    ],
)
def test_what_one_candle_sets_off(candle: Row, exits: list[Any]) -> None:
    _, outbox = trade(settings(LADDER), [*flat((1, 2), 100.0), candle], [wish(1, "long", 100.0, 95.0, 120.0)])
    assert fields(outbox["fills"], "leg", "quantity", "price")[1:] == exits


def test_orders_of_one_leg_in_one_candle_have_ids_of_their_own() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 130, 99, 120)]
    _, outbox = trade(settings(LADDER), rows, [wish(1, "long", 100.0, 95.0, 120.0)])
    facts = ("main", "a", BTC, at(3), "target")
    assert [one.id for one in outbox["orders"][1:]] == [event_id(*facts), event_id(*facts, 1), event_id(*facts, 2)]


DUAL: dict[str, Any] = {"exits.dual.stop_money": "4", "risk.quantity": "4", "broker.fee_pct": 0}
"""Of 4 units from 100 with a stop at 95 and a target at 120: leg B is 2 with a stop at 98 and a target at 105."""


@pytest.mark.parametrize(
    ("candle", "exits", "cash"),
    [
        (Row(3, 100, 104, 97, 100), [("stop", "2", "98")], "9996"),
        (Row(3, 100, 104, 94, 100), [("stop", "2", "98"), ("stop", "2", "95")], "9986"),
        (Row(3, 100, 106, 99, 100), [("target", "2", "105")], "10010"),
        (Row(3, 100, 121, 99, 100), [("target", "2", "105"), ("target", "2", "120")], "10050"),
        (Row(3, 106, 106, 94, 100), [("target", "2", "106"), ("stop", "2", "95")], "10002"),
    ],
    ids=["B stops", "both stop", "B at its target", "both at their targets", "B over its target, A stops"],
)
def test_two_legs_leave_each_at_its_own_levels(candle: Row, exits: list[Any], cash: str) -> None:
    rows = [*flat((1, 2), 100.0), candle, *flat((4, 5), 100.0)]
    wishes = [wish(1, "long", 100.0, 95.0, 120.0), wish(4, "flat", 100.0)]
    account, outbox = trade(settings(DUAL), rows, wishes)
    found = fields(outbox["fills"], "leg", "quantity", "price")[1:]
    assert [one for one in found if one[0] != "exit"] == exits
    assert account.book.cash == Decimal(cash)  # what was left went out at 100, as it came in


def test_the_position_tells_the_stop_of_what_is_left() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 106, 99, 100)]
    _, outbox = trade(settings(DUAL), rows, [wish(1, "long", 100.0, 95.0, 120.0)])
    assert fields(outbox["positions"], "quantity", "stop", "target") == [("4", "95", "120"), ("2", "95", "120")]


def test_an_exit_takes_all_that_is_left() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 106, 99, 104), *flat((4,), 104.0)]
    account, outbox = trade(settings(LADDER), rows, [wish(1, "long", 100.0, 95.0, 120.0), wish(3, "flat", 104.0)])
    assert fields(outbox["fills"], "ts", "leg", "quantity", "price")[-1] == (4, "exit", "2", "104")
    assert fields(outbox["positions"], "status", "quantity", "exit_price")[-1] == ("closed", "4", "104.5")
    assert account.book.holdings == {}


def test_a_second_wish_to_leave_before_the_next_candle_is_no_second_order() -> None:
    """Two candles of a symbol that came late are decided in one instant."""
    account, outbox = Account(settings()), new_outbox()
    given = block(flat((1, 2, 3, 5), 100.0), [wish(1, "long", 100.0, 95.0), wish(3, "flat", 100.0)])
    again = wish(3, "flat", 100.0)
    account.fold(given, [*given.signals, again], outbox)
    assert fields(outbox["fills"], "ts", "leg") == [(2, "entry"), (5, "exit")]


@pytest.mark.parametrize("stop", range(1, 6))
def test_an_account_that_was_put_back_goes_on_as_before(stop: int) -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 106, 99, 104), Row(4, 104, 109, 103, 107), Row(5, 107, 107, 93, 94)]
    wishes = [wish(1, "long", 100.0, 95.0, 120.0)]
    rules = settings({**LADDER, "exits.dual.stop_money": "4"})
    _, whole = trade(rules, rows, wishes)
    account, outbox = Account(rules), new_outbox()
    first = block(rows[:stop], wishes)
    account.fold(first, first.signals, outbox)
    again = Account(rules)
    again.restore(pickle.loads(pickle.dumps(account.snapshot())))
    if rest := rows[stop:]:
        again.fold(block(rest), (), outbox)
    assert wired(outbox) == wired(whole)
