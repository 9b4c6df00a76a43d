"""Slips of the finger in commands: each is refused, changes nothing, and harms nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from flows.portfolio.control import BREAKERS
from flows.portfolio.control.commands import NAMED
from flows.portfolio.control.intents import Intents
from schemas.command import COMMANDS, Command
from tests.flows.portfolio.control.test_commands import BUY, answers, given, play
from tests.flows.portfolio.stories import flat

LONG = "99999999999999999999w"


def test_the_language_and_the_operator_know_the_same_commands() -> None:
    assert list(COMMANDS) == list(NAMED)


@pytest.mark.parametrize("name", ["pause", "close", "halt"])
def test_a_command_with_an_argument_that_it_does_not_know_is_refused(name: str) -> None:
    stage, outbox = play([given(1.5, name, symbl="BTC/USDT")])
    (reply,) = outbox["replies"]
    known = ", ".join(COMMANDS[name] or ())
    assert (reply.code, reply.figures) == ("ARGUMENT_UNKNOWN", {"argument": "symbl", "known": known})
    assert (stage.live.states.holds, stage.commands.pending) == ({}, {})


@pytest.mark.parametrize("level", ["stop", "target"])
@pytest.mark.parametrize("price", ["nan", "inf", "-inf", "1e400", 10**400, "-5", 0, "", "high"])
def test_what_is_no_price_is_no_level(level: str, price: Any) -> None:
    _, outbox = play([given(1.5, "buy", **{**BUY, level: price})])
    assert answers(outbox) == [("buy", "refused", "ARGUMENT_WRONG")]
    assert outbox["replies"][0].figures["why"].startswith(f"{level} is a price above 0, not ")
    assert (outbox["signals"], outbox["orders"]) == ([], [])


@pytest.mark.parametrize(("stop", "target"), [("1e-300", "1e300"), ("5e-324", "1.7e308")])
def test_levels_that_are_far_away_are_nothing_but_far_away(stop: str, target: str) -> None:
    _, outbox = play([given(1.5, "buy", **{**BUY, "stop": stop, "target": target})])
    assert len(outbox["replies"]) == 1


def test_a_time_without_end_is_refused() -> None:
    commands = [
        given(1.5, "pause", **{"for": LONG}),
        given(2.5, "set", **{"breakers.drawdown.reset": LONG}),
        given(3.5, "set", **{"risk.cooldown": LONG}),
    ]
    _, outbox = play(commands)
    assert [row.code for row in outbox["replies"]] == ["ARGUMENT_WRONG", "SETTING_WRONG", "SETTING_WRONG"]
    assert all("is too long: write at most 36500d" in row.message for row in outbox["replies"])


def test_trips_and_resets_at_one_instant_are_records_of_their_own() -> None:
    words: dict[str, Any] = {"breaker": "divergence"}
    commands = [
        *(given(1.1, "alarm"), given(1.2, "reset", **words), given(1.3, "alarm"), given(1.4, "reset", **words)),
    ]
    _, outbox = play(commands, breakers__divergence__alarms=1)
    assert [row.event for row in outbox["breakers"]] == ["CircuitBreakerTripped", "CircuitBreakerReset"] * 2
    assert len({row.id for row in outbox["breakers"]}) == 4
    assert len({row.id for row in outbox["alerts"]}) == 4


def test_breakers_that_are_reset_at_one_instant_are_told_each() -> None:
    commands = [given(1.5, "alarm")]
    rules: dict[str, Any] = {
        "breakers__divergence": {"alarms": 1, "reset": "3m"},
        "breakers__stale_data": {"after": "1m", "reset": "1m"},
    }
    _, outbox = play(commands, [*flat((1,), 100.0), *flat(range(3, 7), 100.0)], **rules)
    told = [(row.breaker, row.event.removeprefix("CircuitBreaker")) for row in outbox["breakers"]]
    assert told == [
        *(("divergence", "Tripped"), ("stale_data", "Tripped"), ("divergence", "Reset"), ("stale_data", "Reset")),
    ]
    assert len({row.id for row in outbox["alerts"]}) == 4


def test_intents_that_fail_are_forgotten_in_time() -> None:
    intents = Intents(10)
    for now in range(100):
        intents.failed(f"click-{now}", now, "TRADING_HALTED")
    assert len(intents.lives) == 11


@pytest.mark.parametrize("intent", ["", "  "])
def test_an_intent_has_a_name(intent: str) -> None:
    _, outbox = play([given(1.5, "buy", **{**BUY, "intent": intent})])
    assert (outbox["replies"][0].code, outbox["replies"][0].figures) == ("ARGUMENT_MISSING", {"argument": "intent"})


def test_a_breaker_that_there_is_not_is_told_from_one_that_has_not_tripped() -> None:
    _, outbox = play([given(1.5, "reset", breaker="drawdwon")])
    (reply,) = outbox["replies"]
    known = ", ".join(breaker.name for breaker in BREAKERS)
    assert (reply.code, reply.figures) == ("ARGUMENT_WRONG", {"why": f"'drawdwon' is no breaker: {known}"})


@pytest.mark.parametrize(
    ("bid", "ask", "why"),
    [
        (50.0, 50.01, "bid 50.0 and ask 50.01 are farther from the last close 100.0 than the stop 95.0"),
        (105.01, 105.02, "bid 105.01 and ask 105.02 are farther from the last close 100.0 than the stop 95.0"),
        (105.0, 105.01, None),
        (94.99, 95.0, None),
    ],
)
def test_bid_and_ask_lie_no_farther_away_than_the_stop(bid: float, ask: float, why: str | None) -> None:
    _, outbox = play([given(1.5, "buy", **{**BUY, "bid": bid, "ask": ask})], risk__max_spread_bps=10)
    (reply,) = outbox["replies"]
    assert reply.code == ("ARGUMENT_WRONG" if why else "DONE")
    assert reply.figures.get("why") == why


@pytest.mark.parametrize(("value", "shown"), [([1, 2], "[1, 2]"), (True, "True"), ({"a": 1}, "{'a': 1}")])
def test_an_argument_is_a_figure_or_a_text_and_nothing_made_of_them(value: Any, shown: str) -> None:
    record = {**given(1.5, "set", **{"risk.sessions": "x"}).model_dump()}
    record["arguments"]["value"] = value
    with pytest.raises(ValidationError) as caught:
        Command.model_validate_json(json.dumps(record), strict=True)
    told = [(error["loc"], error["msg"]) for error in caught.value.errors()]
    assert told == [(("arguments",), f"'value' is a text, a number or null, not {shown}")]
