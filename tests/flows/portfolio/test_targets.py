"""A target is a must for every order that opens or adds, whoever gives it, unless that is switched off."""

from __future__ import annotations

from typing import Any

import pytest

from flows.portfolio.stage import PortfolioStage
from tests.flows.portfolio.control.test_commands import MODES, given, play
from tests.flows.portfolio.stories import BTC, Row, fields, flat, settings, slices, tell, trade, wish

MUST: dict[str, Any] = {"exits.require_target": True}
ROWS = flat(range(1, 8), 100.0)
BARE = wish(3, "long", 100.0, 95.0)
LADDER = [{"share_pct": 50, "at": 1}, {"share_pct": 50, "at": 2}]


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"broker.fill_at": "close"},
        {"entries.type": "limit", "entries.at": 1.0},
        {"entries.type": "stop", "entries.at": 1.0},
        {"exits.dual.stop_money": "1"},
        {"exits.ladder": LADDER},
    ],
    ids=["market", "at the close", "limit", "stop", "two legs", "ladder"],
)
def test_no_kind_of_entry_goes_without_one(rules: dict[str, Any]) -> None:
    rules = {**rules, "risk.quantity": "4"}
    _, outbox = trade(settings({**rules, **MUST}), ROWS, [BARE])
    assert fields(outbox["rejections"], "ts", "gate", "code") == [(3, "stop", "TARGET_MISSING")]
    assert "orders" not in outbox
    _, outbox = trade(settings({**rules, **MUST, "exits.target": "reward"}), ROWS, [BARE])
    assert None not in [one.target for order in outbox["orders"] for one in (order, *order.tranches)]
    _, outbox = trade(settings(rules), ROWS, [BARE])
    assert fields(outbox["orders"], "leg", "target") == [("entry", None)]


def test_an_addition_needs_one_of_its_own() -> None:
    wishes = [wish(1, "long", 100.0, 95.0, 110.0), BARE, wish(5, "long", 100.0, 95.0, 120.0)]
    _, outbox = trade(settings({**MUST, "entries.additions": 2}), ROWS, wishes)
    assert fields(outbox["orders"], "ts", "leg", "target") == [(1, "entry", "110"), (5, "add", "120")]
    assert fields(outbox["rejections"], "ts", "code") == [(3, "TARGET_MISSING")]


def test_a_strategy_that_turns_without_one_leaves_and_enters_nothing() -> None:
    wishes = [wish(1, "short", 100.0, 105.0, 90.0), BARE]
    account, outbox = trade(settings(MUST), ROWS, wishes)
    assert fields(outbox["orders"], "ts", "leg") == [(1, "entry"), (3, "exit")]
    assert not account.book.holdings


def test_who_turns_by_hand_without_one_keeps_the_position() -> None:
    sell: dict[str, Any] = {"symbol": BTC, "stop": 105.0}
    clicks = [given(1.5, "sell", intent="x", **sell, target=90.0), given(3.5, "buy", intent="y", symbol=BTC, stop=95.0)]
    stage, outbox = play(clicks, exits__require_target=True)
    first, second = outbox["replies"]
    assert {name: first.figures[name] for name in ("quantity", "stop", "target")} == {
        "quantity": "1",
        "stop": "105",
        "target": "90",
    }
    assert second.message == (
        "TARGET_MISSING: price=100 why=the signal gives none (target_distance; by hand target=PRICE), "
        "nor does exits.target; exits.require_target=false trades without"
    )
    assert fields(outbox["orders"], "leg", "side") == [("entry", "sell")]
    assert [one.side for one in stage.live.book.holdings.values()] == [-1]
    assert not outbox["alerts"]


@pytest.mark.parametrize(
    ("rules", "target"), [({"exits__target": "reward"}, "110"), ({"exits__require_target": False}, None)]
)
def test_by_hand_the_settings_may_give_it_or_do_without(rules: dict[str, Any], target: str | None) -> None:
    click = given(1.5, "buy", intent="x", symbol=BTC, stop=95.0)
    _, outbox = play([click], **{"exits__require_target": True, **rules})
    assert fields(outbox["orders"], "leg", "target") == [("entry", target)]
    assert outbox["replies"][0].figures.get("target") == target


def test_a_shadow_is_held_to_it_and_takes_nothing_along_when_it_goes_live() -> None:
    strategies = [{**MODES[0], "mode": "shadow"}]
    stage = PortfolioStage(settings({**MUST, "commands.senders": {"ann": ["*"]}, "strategies": strategies}))
    wishes = [BARE, wish(4, "long", 100.0, 95.0, 110.0)]
    outbox = tell(stage, [slices(ROWS[:5], wishes, watermark=wishes[1].ts + 60_000)])
    assert fields(outbox["rejections"], "ts", "mode", "code") == [(3, "shadow", "TARGET_MISSING")]
    assert fields(outbox["alerts"], "ts", "strategy", "code") == [(3, "a", "TARGET_MISSING")]
    assert stage.shadows["a"].book.holdings
    live = given(5, "mode", strategy="a", mode="live")
    stage.command(live, live.ts)
    assert not stage.live.book.holdings
    assert not stage.live.broker.waiting


def test_what_is_held_stays_as_it_is_when_the_rule_is_switched_on() -> None:
    switch = given(2.5, "set", **{"exits.require_target": "true"})
    rows = [*ROWS[:5], Row(6, 100, 100, 94, 94), *flat((7,), 94.0)]
    _, outbox = play([switch], rows, [wish(1, "long", 100.0, 95.0), wish(3, "long", 100.0, 95.0, strategy="b")])
    assert [row.code for row in outbox["replies"]] == ["DONE"]
    assert fields(outbox["fills"], "ts", "strategy", "leg") == [(2, "a", "entry"), (6, "a", "stop")]
    assert fields(outbox["rejections"], "strategy", "code") == [("b", "TARGET_MISSING")]
