"""What is wished for, commanded and due at one instant: nothing leaves twice, nothing is left over."""

from __future__ import annotations

from typing import Any

from flows.outbox import Outbox, new_outbox
from flows.portfolio.account import Account
from tests.flows.portfolio.control.test_commands import given, play
from tests.flows.portfolio.stories import (
    ETH,
    Row,
    block,
    fields,
    flat,
    settings,
    trade,
    wish,
)

LONG = wish(1, "long", 100.0, 95.0, 120.0)


def test_a_share_then_a_reversal_before_the_next_open_leave_nothing_twice() -> None:
    """The command takes half; the reversal of the next candle's close takes what is then held."""
    rows = [*flat((1, 2, 3), 100.0), *flat((1, 2, 3, 4, 5, 6), 100.0, ETH), *flat((5, 6), 100.0)]
    stage, outbox = play(
        [given(3.5, "close", strategy="a", share_pct=50)],
        rows,
        [wish(1, "long", 100.0, 95.0), wish(5, "short", 100.0, 105.0)],
    )
    assert fields(outbox["fills"], "ts", "leg", "side", "quantity") == [
        (2, "entry", "buy", "1"),
        (5, "close", "sell", "0.5"),
        (6, "exit", "sell", "0.5"),
        (6, "entry", "sell", "1"),
    ]
    assert [(one.side, str(one.quantity)) for one in stage.live.book.holdings.values()] == [(-1, "1")]


def test_a_share_and_a_reversal_that_wait_for_one_open_are_filled_as_they_were_placed() -> None:
    """Two candles of a symbol that came late are decided in one instant."""
    config = settings()
    account, outbox = Account(config), new_outbox()
    first = block(flat((1, 2, 3, 5), 100.0), [LONG, wish(3, "flat", 100.0, share_pct=25.0)])
    account.fold(first, [*first.signals, wish(3, "short", 100.0, 105.0)], outbox)
    assert fields(outbox["orders"], "ts", "leg", "side", "quantity") == [
        (1, "entry", "buy", "1"),
        (3, "exit", "sell", "0.25"),
        (3, "exit", "sell", "0.75"),
        (3, "entry", "sell", "1"),
    ]
    assert fields(outbox["positions"], "ts", "status", "side", "quantity") == [
        (2, "open", "long", "1"),
        (5, "open", "long", "0.75"),
        (5, "closed", "long", "1.00"),
        (5, "open", "short", "1"),
    ]
    assert (account.desk.committed, account.desk.coming) == (0.0, 0)
    assert len({one.id for one in outbox["orders"]}) == 4


def test_a_share_that_waits_is_filled_before_the_stop_of_its_candle_takes_the_rest() -> None:
    rows = [*flat((1, 2, 3), 100.0), Row(4, 99, 99, 90, 91)]
    _, outbox = trade(settings(), rows, [LONG, wish(3, "flat", 100.0, share_pct=25.0)])
    assert fields(outbox["fills"], "ts", "leg", "quantity", "price")[1:] == [
        (4, "exit", "0.25", "99"),
        (4, "stop", "0.75", "95"),
    ]


def test_at_the_end_of_its_time_a_position_that_was_parted_leaves_as_it_is() -> None:
    rules = {"exits.time_candles": 3}
    _, outbox = trade(settings(rules), flat(range(1, 8), 100.0), [LONG, wish(3, "flat", 100.0, share_pct=25.0)])
    assert fields(outbox["fills"], "ts", "leg", "quantity")[1:] == [(4, "exit", "0.25"), (5, "time", "0.75")]


def test_a_share_at_the_instant_at_which_time_is_up_is_no_second_order() -> None:
    rules = {"exits.time_candles": 2}
    _, outbox = trade(settings(rules), flat(range(1, 8), 100.0), [LONG, wish(3, "flat", 100.0, share_pct=25.0)])
    assert fields(outbox["orders"], "ts", "leg", "quantity")[1:] == [(3, "time", "1")]


PENDING: dict[str, Any] = {"entries.type": "limit", "entries.at": 1.0, "entries.candles": 9, "entries.additions": 1}


def held_and_waiting(*wishes: Any, rows: list[Row], **rules: Any) -> Outbox:
    """1 bought at 99 in the candle that closes at 2, and another one to be bought at 98.01 that was wished for at 2."""
    begin = [Row(1, 100, 100, 100, 100), Row(2, 100, 100, 99, 99)]
    asked = [wish(1, "long", 100.0, 90.0), wish(2, "long", 99.0, 90.0)]
    return trade(settings({**PENDING, **rules}), [*begin, *rows], [*asked, *wishes])[1]


def test_a_wish_to_leave_in_part_withdraws_the_addition_that_waits() -> None:
    outbox = held_and_waiting(wish(3, "flat", 99.0, share_pct=50.0), rows=[*flat((3, 4), 99.0), Row(5, 99, 99, 97, 97)])
    assert fields(outbox["alerts"], "ts", "code") == [(3, "ENTRY_WITHDRAWN")]
    assert fields(outbox["fills"], "ts", "leg", "quantity") == [(2, "entry", "1"), (4, "exit", "0.5")]


def test_a_reversal_withdraws_the_addition_closes_and_waits_for_its_own_price() -> None:
    rows = [*flat((3, 4), 99.0), Row(5, 99, 100, 97, 97)]
    outbox = held_and_waiting(wish(3, "short", 99.0, 110.0), rows=rows)
    assert fields(outbox["alerts"], "ts", "code") == [(3, "ENTRY_WITHDRAWN")]
    assert fields(outbox["fills"], "ts", "leg", "side", "price") == [
        (2, "entry", "buy", "99"),
        (4, "exit", "sell", "99"),
        (5, "entry", "sell", "99.99"),
    ]


def test_an_addition_is_not_filled_in_the_candle_at_whose_close_time_is_up() -> None:
    """Its position is about to go: all of it leaves, by one order."""
    rows = [Row(3, 99, 99, 98, 98), *flat((4, 5), 98.0)]
    outbox = held_and_waiting(rows=rows, **{"exits.time_candles": 2})
    assert fields(outbox["fills"], "ts", "leg", "quantity") == [(2, "entry", "1"), (4, "time", "1")]
    assert fields(outbox["alerts"], "ts", "code") == [(3, "ENTRY_WITHDRAWN")]
    assert fields(outbox["positions"], "ts", "status") == [(2, "open"), (4, "closed")]
