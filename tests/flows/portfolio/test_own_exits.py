"""Exits that a strategy sets for itself, and exits that are changed while positions are held."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from flows.outbox import new_outbox
from flows.portfolio.stage import PortfolioStage
from schemas.config.root import Config
from tests.flows.portfolio.control.test_commands import given, play
from tests.flows.portfolio.stories import Row, at, fields, flat, settings, slices, tell, trade, wish

SHARED: dict[str, Any] = {"exits.stop": "percent", "exits.stop_at": 5, "exits.target": "reward", "exits.target_at": 2}


OWN = [{"use": "sma_cross", "name": "a", "exits": {"stop_at": 3}}, {"use": "sma_cross", "name": "b"}]


def with_own(exits: dict[str, Any], **rules: Any) -> Config:
    """Strategy a has exits of its own, b has not."""
    strategies = [{"use": "sma_cross", "name": "a", "exits": exits}, {"use": "sma_cross", "name": "b"}]
    return settings({**SHARED, "strategies": strategies, **{key.replace("__", "."): one for key, one in rules.items()}})


def both(minute: int = 1) -> list[Any]:
    """The same wish of both."""
    return [wish(minute, "long", 100.0, strategy=name) for name in ("a", "b")]


@pytest.mark.parametrize(
    ("exits", "stop", "target"),
    [
        ({}, "95", "110"),
        ({"stop_at": 2}, "98", "104"),
        ({"target_at": 3}, "95", "115"),
        ({"target": "percent"}, "95", "102"),
        ({"target": "signal"}, "95", None),
    ],
)
def test_a_key_of_its_own_goes_before_the_shared_one_and_the_others_stay(exits: Any, stop: str, target: str) -> None:
    _, outbox = trade(with_own(exits), flat((1, 2), 100.0), both())
    assert fields(outbox["orders"], "strategy", "stop", "target") == [("a", stop, target), ("b", "95", "110")]


@pytest.mark.parametrize("target", ["signal", "reward"])
def test_a_target_may_be_a_must(target: str) -> None:
    _, outbox = trade(with_own({"require_target": True, "target": target}), flat((1, 2), 100.0), both())
    refused = [] if target == "reward" else [("a", "TARGET_MISSING")]
    assert fields(outbox["rejections"], "strategy", "code") == refused
    assert len(outbox["orders"]) == 2 - len(refused)


def test_a_section_in_it_is_taken_key_by_key_too() -> None:
    config = with_own({"dual": {"share_pct": 75}}, exits__dual={"stop_money": "8", "at": 0.5}, risk__quantity="4")
    _, outbox = trade(config, flat((1, 2), 100.0), both())
    parts = [fields(order.tranches, "quantity", "stop", "target") for order in outbox["orders"]]
    assert parts == [
        [("1", "95", "102.5"), ("3", "95", "110")],
        [("2", "96", "102.5"), ("2", "95", "110")],
    ]


def test_time_trail_and_break_even_are_each_its_own() -> None:
    own = {"time_candles": 2, "trail": "percent", "trail_at": 1}
    rows = [*flat((1, 2), 100.0), Row(3, 104, 104, 104, 104), Row(4, 104, 104, 103.5, 103.5), *flat((5,), 103.5)]
    account, outbox = trade(with_own(own, exits__break_even_at=0.5), rows, both())
    assert fields(outbox["fills"], "ts", "strategy", "leg", "price") == [
        (2, "a", "entry", "100"),
        (2, "b", "entry", "100"),
        (4, "a", "time", "104"),
    ]
    assert fields(outbox["positions"], "ts", "strategy", "status", "stop")[2:] == [
        (3, "a", "open", "100"),
        (3, "b", "open", "100"),
        (4, "a", "closed", "102.96"),
    ]
    assert list(account.broker.trails.numbers.get("BTC/USDT", {})) == []


def test_a_null_of_its_own_turns_a_shared_rule_off() -> None:
    config = with_own({"time_candles": None, "trail": "none"}, exits__time_candles=1, exits__trail="percent")
    rows = [*flat((1, 2), 100.0), *flat(range(3, 6), 104.0)]
    account, outbox = trade(config, rows, both())
    assert fields(outbox["fills"], "strategy", "leg")[2:] == [("b", "time")]
    assert [(one.strategy, str(one.stop)) for one in account.book.holdings.values()] == [("a", "95")]


def test_its_own_average_true_range_is_estimated_and_asked_for_by_it_alone() -> None:
    config = with_own({"stop": "atr", "stop_at": 1}, risk__atr_period=2)
    _, outbox = trade(config, [Row(1, 100, 101, 99, 100), Row(2, 100, 102, 98, 100)], both())
    assert fields(outbox["rejections"], "strategy", "code") == [("a", "ATR_UNKNOWN")]
    assert fields(outbox["orders"], "strategy", "stop") == [("b", "95")]


def test_a_shadow_has_its_own_exits_as_well() -> None:
    strategies = [{"use": "sma_cross", "name": "a", "mode": "shadow", "exits": {"stop_at": 2}}]
    stage = PortfolioStage(settings({**SHARED, "strategies": strategies}))
    assert stage.shadows["a"].desk.exits_of("a").stop_at == 2.0


def test_what_is_traded_by_hand_is_left_as_the_shared_ones_say() -> None:
    strategies = [{"use": "sma_cross", "name": "a", "exits": {"stop_at": 2}}]
    ask = given(1.5, "buy", intent="click", symbol="BTC/USDT")
    _, outbox = play([ask], strategies=strategies, **{key.replace(".", "__"): one for key, one in SHARED.items()})
    assert fields(outbox["orders"], "strategy", "stop") == [("manual", "95")]


@pytest.mark.parametrize("restart", [False, True])
def test_exits_of_a_strategy_can_be_set_while_it_runs(restart: bool) -> None:
    config = settings({**SHARED, "commands.senders": {"ann": ["*"]}, "strategies": OWN})
    rows, outbox = flat(range(1, 7), 100.0), new_outbox()
    stage = PortfolioStage(config)
    for minute, key, value in ((1, "a.exits.stop_at", "2"), (2, "b.exits.dual.at", "3"), (3, "c.exits.stop_at", "2")):
        tell(stage, [slices(rows[minute - 1 : minute], watermark=at(minute))])
        command = given(minute, "set", **{f"strategies.{key}": value})
        for topic, records in stage.command(command, command.ts).items():
            outbox[topic].extend(records)
    told = [(row.code, row.before, row.after) for row in outbox["audit"]]
    a, b = "strategies.a.exits.stop_at", "strategies.b.exits.dual.at"
    assert told == [("DONE", {a: 3.0}, {a: 2.0}), ("DONE", {b: None}, {b: 3.0}), ("SETTING_WRONG", {}, {})]
    assert "no strategy is named 'c'" in outbox["replies"][2].message
    if restart:
        again = PortfolioStage(config)
        again.restore(pickle.loads(pickle.dumps(stage.snapshot())))
        stage = again
    found = tell(stage, [slices(rows[3:], both(4), watermark=at(6))])
    assert fields(found["orders"], "strategy", "stop") == [("a", "98"), ("b", "95")]
    assert stage.config.exits_of("b").dual.at == 3.0
    assert [one.name for one in stage.config.strategies] == ["a", "b"]


@pytest.mark.parametrize(
    ("key", "value", "fills"),
    [
        ("exits.time_candles", "2", [(8, "b", "time")]),
        ("exits.break_even_at", "0.5", [(9, "b", "stop")]),
        ("exits.trail", "percent", [(9, "b", "stop")]),
    ],
)
def test_exits_that_are_set_count_for_what_is_entered_from_then_on(key: str, value: str, fills: list[Any]) -> None:
    rows = [*flat(range(1, 7), 100.0), *flat((7, 8), 103.0), *flat((9, 10), 99.0)]
    wishes = [wish(1, "long", 100.0, 95.0, strategy="a"), wish(5, "long", 100.0, 95.0, strategy="b")]
    _, outbox = play([given(3.5, "set", **{key: value})], rows, wishes)
    assert [row.code for row in outbox["replies"]] == ["DONE"]
    assert fields(outbox["fills"], "ts", "strategy", "leg")[2:] == fills
    moved = [(row.strategy, str(row.stop)) for row in outbox["positions"] if row.stop == 100 and row.status == "open"]
    assert moved == ([("b", "100")] if key == "exits.break_even_at" else [])
