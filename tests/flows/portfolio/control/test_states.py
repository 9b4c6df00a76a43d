"""Trading states: the strictest hold counts, each holder lifts its own."""

from __future__ import annotations

from flows.portfolio.control.base import ALL, Place
from flows.portfolio.control.states import COMMAND, FREE, HALTED, REDUCING, States
from flows.portfolio.gates.strategy_mode import StrategyMode
from flows.portfolio.gates.trading_state import TradingState
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused
from tests.flows.portfolio.stories import BTC, ETH

A, SYMBOL = Place("strategy", "a"), Place("symbol", BTC)


def test_the_strictest_hold_of_portfolio_strategy_and_symbol_counts() -> None:
    states = States()
    states.put(SYMBOL, "volatility", HALTED, None)
    states.put(A, COMMAND, REDUCING, None)
    assert states.of("a", BTC)[:3] == (HALTED, SYMBOL, "volatility")
    assert states.of("a", ETH)[:3] == (REDUCING, A, COMMAND)
    assert states.of("b", ETH) == FREE
    states.put(ALL, "drawdown", HALTED, None)
    assert states.of("b", ETH)[:3] == (HALTED, ALL, "drawdown")


def test_a_holder_lifts_its_own_hold_and_no_other() -> None:
    states = States()
    states.put(ALL, "drawdown", HALTED, None)
    states.put(ALL, COMMAND, REDUCING, None)
    assert states.lift(ALL, "drawdown")
    assert states.at(ALL) == "REDUCING"
    assert not states.lift(ALL, "drawdown")
    assert states.lift(ALL, COMMAND)
    assert (states.at(ALL), states.holds) == ("ACTIVE", {})


def test_what_a_command_put_there_for_a_time_ends_then() -> None:
    states = States()
    states.put(ALL, COMMAND, REDUCING, 5_000)
    states.put(A, "losses", REDUCING, 4_000)  # lifted by the breaker, with a record
    assert states.ends() == [5_000, 4_000]
    assert states.expired(4_999) == []
    assert states.expired(5_000) == [ALL]
    assert states.at(A) == "REDUCING"


def test_a_weaker_or_shorter_word_of_a_command_ends_none_that_is_stricter_or_longer() -> None:
    states = States()
    assert states.put(ALL, COMMAND, HALTED, 9_000) == 9_000
    assert states.put(ALL, COMMAND, REDUCING, 5_000) == 5_000
    assert states.put(ALL, COMMAND, HALTED, 4_000) == 9_000
    assert states.put(ALL, COMMAND, REDUCING, None) is None
    assert states.put(ALL, COMMAND, REDUCING, 6_000) is None
    assert states.holds == {ALL: {(COMMAND, HALTED): 9_000, (COMMAND, REDUCING): None}}
    assert (states.expired(8_999), states.at(ALL)) == ([], "HALTED")
    assert (states.expired(9_000), states.at(ALL)) == ([ALL], "REDUCING")
    assert states.lift(ALL, COMMAND)
    assert states.holds == {}


def test_what_a_breaker_holds_up_is_its_last_word() -> None:
    states = States()
    states.put(ALL, "drawdown", HALTED, None)
    states.put(ALL, "drawdown", REDUCING, 7)
    assert states.holds == {ALL: {("drawdown", REDUCING): 7}}


def test_a_snapshot_has_everything() -> None:
    states, other = States(), States()
    states.put(SYMBOL, "volatility", HALTED, 7)
    states.shadowed.add("a")
    other.restore(states.snapshot())
    assert (other.holds, other.shadowed) == (states.holds, states.shadowed)


def test_the_gates_say_who_holds_up_what() -> None:
    standing = a_standing()
    standing.states = States()
    assert ask(TradingState, an_intent(), standing) == {"state": "ACTIVE"}
    assert ask(StrategyMode, an_intent(), standing) == {"mode": "live"}
    standing.states.put(A, COMMAND, REDUCING, None)
    held = {"state": "REDUCING", "scope": "strategy a", "by": "command"}
    assert refused(ask(TradingState, an_intent(), standing)) == ("TRADING_REDUCING", held)
    standing.states.put(ALL, "drawdown", HALTED, None)
    held = {"state": "HALTED", "scope": "portfolio", "by": "drawdown"}
    assert refused(ask(TradingState, an_intent(), standing)) == ("TRADING_HALTED", held)
    standing.states.shadowed.add("a")
    assert refused(ask(StrategyMode, an_intent(), standing)) == ("STRATEGY_SHADOW", {"strategy": "a"})
