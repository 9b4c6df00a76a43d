"""What a command or a breaker takes out of positions, and what it leaves there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.flows.portfolio.control.test_commands import ROWS, given, play
from tests.flows.portfolio.stories import (
    BTC,
    ETH,
    Row,
    fields,
    flat,
    settings,
    trade,
    wish,
)


@pytest.mark.parametrize("fill_at", ["next_open", "close"])
def test_parts_that_leave_one_after_the_other_have_ids_of_their_own(fill_at: str) -> None:
    asks = [given(3.1, "close", symbol=BTC, share_pct=50), given(3.2, "close", symbol=BTC, share_pct="50")]
    asks.append(given(3.3, "close", symbol=BTC))
    _, outbox = play(asks, wishes=[wish(1, "long", 100.0, 95.0)], broker__fill_at=fill_at)
    assert fields(outbox["orders"], "ts", "leg", "quantity", "reason")[1:] == [
        (3, "close", "0.5", "50 % closed by command of ann"),
        (3, "close", "0.25", "50 % closed by command of ann"),
        (3, "close", "0.25", "closed by command of ann"),
    ]
    assert len({one.id for one in outbox["orders"]}) == 4
    assert fields(outbox["positions"], "status", "quantity") == [
        ("open", "1"),
        ("open", "0.5"),
        ("open", "0.25"),
        ("closed", "1.00"),
    ]


def test_a_position_that_cannot_be_parted_stays_and_the_sender_is_told() -> None:
    _, outbox = play(
        [given(3.5, "close", symbol=BTC, share_pct=40)],
        wishes=[wish(1, "long", 100.0, 95.0)],
        instruments__default__min_quantity="0.5",
    )
    (reply,) = outbox["replies"]
    assert (reply.code, reply.figures) == ("PART_TOO_SMALL", {"share_pct": 40.0, "positions": 1})
    assert (len(outbox["orders"]), outbox["alerts"]) == (1, [])


@pytest.mark.parametrize("share_pct", [0, -1, 100.1, "half", "nan", 10**400])
def test_a_share_is_a_percentage(share_pct: Any) -> None:
    _, outbox = play([given(3.5, "close", symbol=BTC, share_pct=share_pct)], wishes=[wish(1, "long", 100.0, 95.0)])
    assert [row.code for row in outbox["replies"]] == ["ARGUMENT_WRONG"]
    assert "share_pct is above 0 and at most 100" in outbox["replies"][0].message
    assert len(outbox["orders"]) == 1


def test_half_of_everything_leaves_when_the_token_comes_back() -> None:
    rows = [*ROWS, *flat(range(1, 12), 100.0, ETH)]
    wishes = [wish(1, "long", 100.0, 95.0), wish(1, "short", 100.0, 105.0, symbol=ETH, strategy="b")]
    _, asked = play([given(3.5, "close", share_pct=50)], rows, wishes)
    token = asked["replies"][0].figures["token"]
    assert len(asked["orders"]) == 2
    _, outbox = play([given(3.5, "close", share_pct=50), given(3.6, "confirm", token=token)], rows, wishes)
    assert fields(outbox["orders"], "symbol", "side", "leg", "quantity")[2:] == [
        (BTC, "sell", "close", "0.5"),
        (ETH, "buy", "close", "0.5"),
    ]
    assert outbox["replies"][1].figures == {"orders": 2, "confirms": "close-3.5"}


@pytest.mark.parametrize("scope", [{}, {"strategy": "a"}])
def test_to_reduce_with_a_share_pauses_and_parts(scope: dict[str, Any]) -> None:
    ask = given(3.5, "reduce", share_pct=25, **{"for": "3m"}, **scope)
    _, asked = play([ask])
    commands = [ask, given(3.6, "confirm", token=asked["replies"][0].figures["token"])] if not scope else [ask]
    wishes = [wish(1, "long", 100.0, 95.0), wish(4, "short", 100.0, 105.0), wish(7, "long", 100.0, 95.0)]
    _, outbox = play(commands, wishes=wishes)
    assert fields(outbox["orders"], "ts", "leg", "quantity") == [
        (1, "entry", "1"),
        (3, "close", "0.25"),
        (4, "exit", "0.75"),
        (7, "entry", "1"),
    ]
    assert fields(outbox["rejections"], "ts", "code") == [(4, "TRADING_REDUCING")]
    confirms = {} if scope else {"confirms": ask.id}
    assert outbox["replies"][-1].figures == {"until": commands[-1].ts + 180_000, "orders": 1, **confirms}


BREAKER: dict[str, Any] = {"breakers.drawdown.max_pct": 0.3, "breakers.drawdown.action": "reduce"}


@pytest.mark.parametrize(("share_pct", "left"), [(50.0, "0.5"), (10.0, "0.9"), (99.0, "0.01")])
def test_a_breaker_that_reduces_lets_positions_be_closed_only_and_parts_them(share_pct: float, left: str) -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 60, 60), *flat(range(4, 8), 61.0)]
    rows += flat(range(1, 8), 50.0, ETH)
    wishes = [
        wish(1, "long", 100.0, 10.0),
        wish(3, "long", 50.0, 10.0, symbol=ETH),
        wish(4, "long", 61.0, 10.0, strategy="b"),
        wish(5, "flat", 61.0),
    ]
    account, outbox = trade(settings({**BREAKER, "breakers.drawdown.share_pct": share_pct}), rows, wishes)
    (trip,) = outbox["breakers"]
    assert (trip.action, trip.state, trip.settings["share_pct"]) == ("reduce", "REDUCING", share_pct)
    gone = str(1 - Decimal(left))
    assert fields(outbox["orders"], "ts", "strategy", "leg", "quantity", "reason")[1:] == [
        (3, "a", "close", gone, f"{share_pct:g} % closed by drawdown"),
        (5, "a", "exit", left, wishes[3].reason),
    ]
    assert fields(outbox["rejections"], "ts", "symbol", "code") == [
        (3, ETH, "TRADING_REDUCING"),
        (4, BTC, "TRADING_REDUCING"),
    ]
    names = ("ts", "status", "quantity", "stop")
    assert fields(outbox["positions"], *names)[1] == (4, "open", left, "10")
    assert account.book.holdings == {}


def test_a_breaker_parts_what_is_in_its_scope_alone() -> None:
    rules = {"breakers.consecutive_losses.most": 1, "breakers.consecutive_losses.action": "reduce"}
    rules |= {"breakers.consecutive_losses.scope": "symbol"}
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 98, 100), *flat((4, 5), 100.0), *flat(range(1, 6), 100.0, ETH)]
    wishes = [wish(1, "long", 100.0, 99.0), wish(1, "long", 100.0, 10.0, strategy="b")]
    wishes.append(wish(1, "long", 100.0, 10.0, symbol=ETH))
    _, outbox = trade(settings(rules), rows, wishes)
    parts = [(3, "b", BTC, "close", "0.5")]
    assert fields(outbox["orders"], "ts", "strategy", "symbol", "leg", "quantity")[4:] == parts


def test_what_a_breaker_cannot_part_stays_and_is_an_alert() -> None:
    rules = {**BREAKER, "instruments.default.lot": "1"}
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 60, 60), *flat((4, 5), 61.0)]
    account, outbox = trade(settings(rules), rows, [wish(1, "long", 100.0, 10.0)])
    assert fields(outbox["alerts"], "ts", "code") == [(3, "BREAKER_TRIPPED"), (3, "PART_TOO_SMALL")]
    assert [holding.quantity for holding in account.book.holdings.values()] == [1]
