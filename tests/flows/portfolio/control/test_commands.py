"""Commands: who may give them, what they change, what they are answered, and that nothing is done twice."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from flows.outbox import Outbox, new_outbox
from flows.portfolio.scan import NEVER
from flows.portfolio.stage import PortfolioStage
from schemas.command import Command
from schemas.slices import END
from tests.flows.portfolio.stories import (
    BTC,
    ETH,
    SHARD,
    SOL,
    Row,
    at,
    checked,
    fields,
    fills,
    flat,
    minute_of,
    settings,
    slices,
    tell,
    wired,
    wish,
)

SENDERS = {"ann": ["*"], "bot": ["pause", "buy"]}
MODES = [{"use": "sma_cross", "name": "a"}, {"use": "sma_cross", "name": "b"}]
RULES: dict[str, Any] = {"commands.senders": SENDERS, "strategies": MODES}
ROWS = flat(range(1, 12), 100.0)


def given(minute: float, name: str, sender: str = "ann", id_: str = "", **arguments: Any) -> Command:
    """A command in the middle of a minute."""
    ts = at(0) + int(minute * 60_000)
    return Command(id=id_ or f"{name}-{minute}", ts=ts, portfolio="main", sender=sender, name=name, arguments=arguments)


def play(
    commands: Sequence[Command], rows: Sequence[Row] = ROWS, wishes: Sequence[Any] = (), **rules: Any
) -> tuple[PortfolioStage, Outbox]:
    """A whole story through one stage."""
    changes = {**RULES, **{key.replace("__", "."): value for key, value in rules.items()}}
    stage = PortfolioStage(settings(changes), commands=commands)
    rows = sorted(rows, key=lambda row: (row.minute, row.symbol))
    return stage, tell(stage, [slices(rows, wishes)])


def answers(outbox: Outbox) -> list[tuple[Any, ...]]:
    """(name, status, code) of each reply."""
    return [(row.name, row.status, row.code) for row in outbox["replies"]]


def longs(*minutes: int, strategy: str = "a", symbol: str = BTC) -> list[Any]:
    return [wish(minute, "long", 100.0, 50.0, strategy=strategy, symbol=symbol) for minute in minutes]


@pytest.mark.parametrize(
    ("command", "code", "figures"),
    [
        (given(1.5, "pause", "eve"), "SENDER_UNKNOWN", {"sender": "eve"}),
        (given(1.5, "close", "bot"), "SENDER_NOT_ALLOWED", {"sender": "bot", "command": "close"}),
        (given(1.5, "pause", symbol="DOGE/USDT"), "SYMBOL_UNKNOWN", {"symbol": "DOGE/USDT"}),
        (given(1.5, "pause", strategy="z"), "STRATEGY_UNKNOWN", {"strategy": "z"}),
        (given(1.5, "resume"), "NOTHING_HELD", {"scope": "portfolio", "state": "ACTIVE"}),
        (given(1.5, "reset", breaker="drawdown"), "BREAKER_NOT_TRIPPED", {"breaker": "drawdown", "scope": "portfolio"}),
        (given(1.5, "reset"), "ARGUMENT_MISSING", {"argument": "breaker"}),
        (given(1.5, "confirm", token="12345678"), "TOKEN_UNKNOWN", {"token": "12345678"}),
        (given(1.5, "mode", strategy="a", mode="off"), "ARGUMENT_WRONG", {"why": "mode is live or shadow"}),
        (
            given(1.5, "pause", **{"for": "soon"}),
            "ARGUMENT_WRONG",
            {"why": "'soon' is no length of time: write a count and one of s, m, h, d, w, as in 15m or 4h"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_command_that_is_not_obeyed_is_answered_and_audited(command: Command, code: str, figures: Any) -> None:
    _, outbox = play([command])
    (reply,), (audit,) = outbox["replies"], outbox["audit"]
    assert (reply.command_id, reply.sender, reply.status, reply.code, reply.figures) == (
        *(command.id, command.sender, "refused", code, figures),
    )
    assert (audit.command_id, audit.given_ms, audit.arguments, audit.code, audit.figures) == (
        *(command.id, command.ts, command.arguments, code, figures),
    )
    assert (audit.before, audit.after) == ({}, {})


def test_an_unknown_command_is_told_the_known_ones() -> None:
    _, outbox = play([given(1.5, "dance")])
    (reply,) = outbox["replies"]
    assert reply.code == "COMMAND_UNKNOWN"
    assert "pause, reduce, halt, resume" in reply.figures["known"]


@pytest.mark.parametrize(("late_ms", "code"), [(60_000, "DONE"), (60_001, "COMMAND_OLD"), (-60_001, "COMMAND_EARLY")])
def test_a_command_is_good_for_a_minute_by_the_clock_at_which_it_was_journaled(late_ms: int, code: str) -> None:
    stage = PortfolioStage(settings(RULES))
    tell(stage, [slices(ROWS[:2], watermark=at(2))])
    command = given(2.5, "pause")
    outbox = stage.command(command, command.ts + late_ms)
    assert [row.code for row in outbox["replies"]] == [code]
    assert [(row.ts, row.received_ms) for row in outbox["audit"]] == [(at(3) - 1, command.ts + late_ms)]


def test_a_command_is_obeyed_once() -> None:
    twice = given(1.5, "pause", id_="same"), given(1.6, "resume"), given(1.7, "pause", id_="same")
    stage, outbox = play(twice)
    assert answers(outbox) == [
        ("pause", "done", "DONE"),
        ("resume", "done", "DONE"),
        ("pause", "refused", "COMMAND_SEEN"),
    ]
    assert stage.live.states.holds == {}
    assert len({row.id for row in outbox["replies"]}) == 3


def test_ids_are_forgotten_when_no_command_of_theirs_could_be_obeyed_any_more() -> None:
    """However far in the future they claim to be; and one that is early is still obeyed once, when its time comes."""
    stage = PortfolioStage(settings(RULES))
    tell(stage, [slices(ROWS[:2], watermark=at(2))])
    early, now = given(60, "pause", id_="early"), at(2)
    for number in range(500):
        stage.command(given(10**6 + number, "pause"), now + number * 1_000)
    assert len(stage.commands.seen) == 121
    codes = []
    for received in (early.ts - 60_000, early.ts, early.ts + 60_000, early.ts + 60_001):
        codes += [row.code for row in stage.command(early, received)["replies"]]
    assert codes == ["DONE", "COMMAND_SEEN", "COMMAND_SEEN", "COMMAND_OLD"]


def test_a_pause_ends_by_itself_and_is_told() -> None:
    commands = [given(1.5, "pause", **{"for": "2m"})]
    _, outbox = play(commands, wishes=longs(2, 3, 4))
    assert fields(outbox["rejections"], "ts", "code") == [(2, "TRADING_REDUCING"), (3, "TRADING_REDUCING")]
    assert fields(outbox["orders"], "ts", "leg") == [(4, "entry")]
    assert fields(outbox["alerts"], "ts", "code") == [(4, "TRADING_RESUMED")]
    assert checked(outbox["orders"][0])["trading_state"] == {"state": "ACTIVE"}


def test_a_halt_of_a_strategy_leaves_the_others_and_its_own_stop_alone() -> None:
    rows = [*flat(range(1, 4), 100.0), Row(4, 100, 100, 40, 45), *flat((5, 6), 45.0)]
    wishes = [*longs(1), *longs(2, strategy="b"), wish(3, "flat", 100.0)]
    _, outbox = play([given(2.5, "halt", strategy="a")], rows, wishes)
    orders = [(1, "a", "entry"), (2, "b", "entry"), (4, "a", "stop"), (4, "b", "stop")]
    assert fields(outbox["orders"], "ts", "strategy", "leg") == orders
    assert fields(outbox["rejections"], "ts", "code") == [(3, "TRADING_HALTED")]
    audit = outbox["audit"][0]
    assert (audit.before, audit.after) == ({"strategy a": "ACTIVE"}, {"strategy a": "HALTED"})


def test_an_entry_that_waits_is_withdrawn_by_a_pause() -> None:
    _, outbox = play([given(1.5, "pause", strategy="a")], wishes=[*longs(1), *longs(1, strategy="b")])
    assert fields(outbox["alerts"], "ts", "code", "symbol") == [(1, "ENTRY_WITHDRAWN", BTC)]
    assert [(fill[0], fill[1]) for fill in fills(outbox)] == [(2, "b")]


def test_close_takes_one_symbol_at_the_next_open_and_leaves_the_state_as_it_is() -> None:
    rows = [*ROWS, *flat(range(1, 12), 100.0, ETH)]
    stage, outbox = play([given(3.5, "close", symbol=BTC)], rows, [*longs(1), *longs(1, symbol=ETH), *longs(5)])
    assert fields(outbox["orders"], "ts", "symbol", "leg", "reason")[2] == (3, BTC, "close", "closed by command of ann")
    assert outbox["replies"][0].figures == {"orders": 1}
    assert [(fill[0], fill[2]) for fill in fills(outbox)] == [(2, "entry"), (2, "entry"), (4, "close"), (6, "entry")]
    assert list(stage.live.book.holdings) == [(ETH, "a"), (BTC, "a")]


def test_to_close_all_takes_a_token_that_is_the_senders_own_good_once_and_for_a_minute() -> None:
    ask = given(3.5, "close")
    _, outbox = play([ask], wishes=longs(1))
    token = outbox["replies"][0].figures["token"]
    assert outbox["replies"][0].figures == {"token": token, "until_ms": ask.ts + 60_000, "positions": 1}
    assert fields(outbox["orders"], "leg") == [("entry",)]
    late = given(4.51, "confirm", token=token)
    for commands, codes in (
        ([ask, given(3.6, "confirm", "bot", token=token)], ["CONFIRM", "SENDER_NOT_ALLOWED"]),
        ([ask, late], ["CONFIRM", "TOKEN_EXPIRED"]),
        (
            [ask, given(3.6, "confirm", token=token), given(3.7, "confirm", token=token)],
            ["CONFIRM", "DONE", "TOKEN_UNKNOWN"],
        ),
    ):
        _, outbox = play(commands, wishes=longs(1))
        assert [row.code for row in outbox["replies"]] == codes
        assert [row.leg for row in outbox["orders"]] == (["entry", "close"] if "DONE" in codes else ["entry"])
    assert outbox["audit"][1].figures == {"orders": 1, "confirms": ask.id}


def test_a_breaker_is_reset_by_command() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 60, 60), *flat(range(4, 9), 60.0)]
    wishes = [*longs(1), wish(4, "long", 60.0, 10.0), wish(6, "long", 60.0, 10.0)]
    wishes[0].stop = 10.0
    commands = [given(5.5, "reset", breaker="drawdown")]
    _, outbox = play(commands, rows, [*wishes, wish(5, "flat", 60.0)], breakers__drawdown__max_pct=0.3)
    assert [(minute_of(row.ts), row.event, row.by) for row in outbox["breakers"]] == [
        (3, "CircuitBreakerTripped", "drawdown"),
        (5, "CircuitBreakerReset", "ann"),
    ]
    assert fields(outbox["orders"], "ts", "leg") == [(1, "entry"), (5, "exit"), (6, "entry")]


def test_alarms_trip_the_breaker_of_divergence() -> None:
    commands = [given(1.5, "alarm", what="orders 1"), given(2.5, "alarm", what="orders 2")]
    _, outbox = play(commands, breakers__divergence__alarms=2)
    (trip,) = outbox["breakers"]
    assert (trip.breaker, trip.figures) == ("divergence", {"by": "ann", "what": "orders 2", "alarms": 2, "most": 2})


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("risk.quantity", "2", "DONE"),
        ("risk.quantity", "-2", "SETTING_WRONG"),
        ("risk.per_trade_pct", "100.1", "SETTING_WRONG"),
        ("risk.max_risk_pct", "100.1", "SETTING_WRONG"),
        ("risk.max_var_pct", "100.1", "SETTING_WRONG"),
        ("risk.quantety", "2", "SETTING_WRONG"),
        ("risk.max_open_positions", "many", "SETTING_WRONG"),
        ("broker.fee_pct", "0", "SETTING_FIXED"),
        ("commands.max_age", "1d", "SETTING_FIXED"),
        ("risk.sizing", "volatility_target", "SETTING_FIXED"),
    ],
)
def test_a_setting_is_changed_within_its_bounds_and_from_then_on(key: str, value: str, code: str) -> None:
    _, outbox = play([given(2.5, "set", **{key: value})], wishes=[*longs(1), *longs(3, strategy="b")])
    assert [row.code for row in outbox["replies"]] == [code]
    assert [str(order.quantity) for order in outbox["orders"]] == ["1", "2" if code == "DONE" else "1"]
    audit = outbox["audit"][0]
    assert (audit.before, audit.after) == (({key: "1"}, {key: "2"}) if code == "DONE" else ({}, {}))


@pytest.mark.parametrize(
    ("key", "values", "told"),
    [
        ("risk.groups", ["{a: [BTC/USDT]}"], ["{}", '{"a": ["BTC/USDT"]}']),
        (
            "risk.groups",
            ["{a: [X/Y], b: [X/Y, Z/Y]}", "{c: [X/Y]}"],
            ["{}", '{"a": ["X/Y"], "b": ["X/Y", "Z/Y"]}', '{"c": ["X/Y"]}'],
        ),
        ("risk.groups.a", ["X/Y"], [None, '["X/Y"]']),
        ("risk.strategy_scale", ["{a: 0.5}"], ["{}", '{"a": 0.5}']),
        (
            "risk.lot_tiers",
            ["[{equity: 100, quantity: 0.10}]"],
            ["[]", '[{"equity": 100, "quantity": 0.10}]'],
        ),
        (
            "exits.ladder",
            ["[{share_pct: 50, at: 1}]"],
            ["[]", '[{"share_pct": 50.0, "by": reward, "at": 1.0}]'],
        ),
    ],
)
def test_a_setting_is_told_as_it_is_written_with_its_names(key: str, values: list[str], told: list[Any]) -> None:
    """And a list or mapping is set as a whole, as in the file: what it had before is gone."""
    wrote = [*values, told[-1]]  # what is told can be given back, and changes nothing
    commands = [given(1.1 + at / 10, "set", **{key: value}) for at, value in enumerate(wrote)]
    _, outbox = play(commands, wishes=[])
    assert [row.code for row in outbox["replies"]] == ["DONE"] * len(wrote)
    assert [(row.before[key], row.after[key]) for row in outbox["audit"]] == [*pairwise(told), (told[-1], told[-1])]
    assert [row.figures[key] for row in outbox["replies"]] == [*told[1:], told[-1]]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (("risk.per_trade_pct", None), "SETTING_WRONG"),
        (("risk.per_trade_pct", "150"), "SETTING_WRONG"),
        (("broker.fee_pct", "0"), "SETTING_FIXED"),
        (("risk.var_window", "400"), "SETTING_FIXED"),
        (("risk.nothing", "1"), "SETTING_WRONG"),
    ],
)
def test_settings_are_changed_together_or_not_at_all(second: tuple[str, Any], why: str) -> None:
    whole = {"risk.sizing": "fixed_quantity", "risk.quantity": "0.01"}
    stage, outbox = play([given(1.1, "set", **whole, **dict([second])), given(1.2, "set"), given(1.3, "set", **whole)])
    told = [(row.code, row.figures.get("key")) for row in outbox["replies"]]
    assert told == [(why, second[0]), ("ARGUMENT_MISSING", None), ("DONE", None)]
    assert [row.after for row in outbox["audit"]] == [
        {},
        {},
        {"risk.sizing": "fixed_quantity", "risk.quantity": "0.01"},
    ]
    assert (stage.config.risk.sizing, stage.config.risk.quantity) == ("fixed_quantity", Decimal("0.01"))


@pytest.mark.parametrize("key", ["risk", "breakers.drawdown", "exits.dual"])
def test_a_whole_section_is_not_set_at_once(key: str) -> None:
    """It would put back what is not named to the defaults."""
    _, outbox = play([given(1.5, "set", **{key: "{}"})], wishes=[])
    why = f"a whole section; name one setting, as in {key}.KEY"
    assert [(row.code, row.figures) for row in outbox["replies"]] == [("SETTING_WRONG", {"key": key, "why": why})]


@pytest.mark.parametrize(
    ("commands", "file", "found"),
    [
        ([("ann", "0.9")], "0.7", 0.9),  # what was set outlives a restart with the same file
        ([("ann", "0.9")], "0.5", 0.5),  # … and gives way to another file
        ([("config", "0.6")], "0.6", 0.6),
        ([("config", "0.6")], "0.7", 0.7),  # saved while it was stopped
        ([("config", "0.6"), ("ann", "0.9")], "0.6", 0.9),
        ([("config", "0.6"), ("ann", "0.9")], "0.7", 0.7),
        ([("ann", "0.9"), ("config", "0.6")], "0.6", 0.6),
        ([("ann", "0.9"), ("ann", "0.8")], "0.7", 0.8),
    ],
)
def test_after_a_restart_holds_what_was_set_unless_the_file_has_changed_since(
    commands: list[tuple[str, str]], file: str, found: float
) -> None:
    key, rules = "risk.per_trade_pct", {**RULES, "commands.senders": {"ann": ["set"], "config": ["set"]}}
    wrote = [given(1.1 + at / 10, "set", sender, **{key: value}) for at, (sender, value) in enumerate(commands)]
    other = given(1.9, "set", **{"risk.max_leverage": "2"})
    before = PortfolioStage(settings({**rules, key: 0.7}), commands=[*wrote, other])
    replies = tell(before, [slices(ROWS, [])])["replies"]
    assert [row.code for row in replies] == ["DONE"] * (len(commands) + 1)
    after = PortfolioStage(settings({**rules, key: float(file)}))
    after.restore(pickle.loads(pickle.dumps(before.snapshot())))
    assert (after.config.risk.per_trade_pct, after.live.config.risk.per_trade_pct) == (found, found)
    assert after.config.risk.max_leverage == 2


def test_a_breaker_can_be_set_up_while_it_runs() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 60, 60), *flat((4,), 60.0)]
    _, outbox = play([given(1.5, "set", **{"breakers.drawdown.max_pct": "0.3"})], rows, [wish(1, "long", 100.0, 10.0)])
    assert [row.event for row in outbox["breakers"]] == ["CircuitBreakerTripped"]


def test_a_strategy_becomes_a_shadow_and_live_again() -> None:
    wishes = [*longs(1), *longs(4), wish(6, "flat", 100.0), *longs(8)]
    commands = [
        given(2.5, "mode", strategy="a", mode="shadow"),
        given(6.5, "mode", strategy="a", mode="live"),
    ]
    _, outbox = play(commands, wishes=wishes)
    # What it held is closed; then it trades on paper; then live again.
    assert fields(outbox["orders"], "ts", "leg") == [(1, "entry"), (2, "close"), (8, "entry")]
    shadow = [row for row in outbox["positions"] if row.mode == "shadow"]
    assert fields(shadow, "ts", "status", "exit_leg") == [(5, "open", None), (7, "closed", "exit")]
    assert [(row.before, row.after) for row in outbox["audit"]] == [
        ({"a": "live"}, {"a": "shadow"}),
        ({"a": "shadow"}, {"a": "live"}),
    ]


# -- intents ----------------------------------------------------------------------------------------------------------

BUY: dict[str, Any] = {"intent": "click", "symbol": BTC, "stop": 95.0}


def test_a_double_click_is_carried_out_once() -> None:
    clicks = [given(1.5, "buy", "bot", **BUY), given(1.6, "buy", "bot", **BUY), given(3.5, "buy", "bot", **BUY)]
    _, outbox = play(clicks)
    assert answers(outbox) == [
        ("buy", "done", "DONE"),
        ("buy", "refused", "INTENT_PENDING"),
        ("buy", "refused", "INTENT_EXECUTED"),
    ]
    (order,) = outbox["orders"]
    assert (order.strategy, minute_of(order.ts), str(order.stop), order.reason) == (
        *("manual", 1, "95", "intent click of bot"),
    )
    assert list(order.checks)[:2] == ["trading_state", "strategy_mode"]
    assert outbox["replies"][2].figures == {"intent": "click", "order_id": order.id, "result": "100"}
    assert [(row.code, row.figures.get("order_id"), row.figures.get("result")) for row in outbox["audit"]] == [
        ("DONE", order.id, None),
        ("INTENT_PENDING", order.id, "ordered"),
        ("INTENT_EXECUTED", order.id, "100"),
    ]
    assert [row.arguments["intent"] for row in outbox["audit"]] == ["click"] * 3


def test_an_intent_that_a_gate_refused_may_be_tried_again() -> None:
    clicks = [
        given(1.5, "pause"),
        given(1.6, "buy", **BUY),
        given(2.5, "resume"),
        given(2.6, "buy", **BUY),
    ]
    _, outbox = play(clicks)
    assert [row.code for row in outbox["replies"]] == ["DONE", "TRADING_REDUCING", "DONE", "DONE"]
    assert fields(outbox["orders"], "ts", "leg") == [(2, "entry")]
    assert outbox["rejections"][0].strategy == "manual"


@pytest.mark.parametrize("why", ["ENTRY_EXPIRED", "ENTRY_WITHDRAWN"])
def test_an_intent_whose_order_was_never_filled_may_be_tried_again(why: str) -> None:
    limit: dict[str, Any] = {"entries__type": "limit", "entries__at": 1.0, "entries__candles": 2}
    pause = [given(1.6, "pause"), given(1.7, "resume")] if why == "ENTRY_WITHDRAWN" else []
    clicks = [given(minute, "buy", id_=str(minute), **BUY) for minute in (1.5, 2.5, 3.5, 4.5)]
    rows = [*flat(range(1, 5), 100.0), Row(5, 100, 100, 98.5, 99.5), *flat((6,), 99.5)]
    _, outbox = play([*clicks[:1], *pause, *clicks[1:], given(5.5, "sell", id_="6", **BUY)], rows, **limit)
    codes = [row.code for row in outbox["replies"] if row.name in ("buy", "sell")]
    if why == "ENTRY_EXPIRED":
        assert codes == ["DONE", "INTENT_PENDING", "DONE", "INTENT_PENDING", "INTENT_EXECUTED"]
    else:
        assert codes == ["DONE", "DONE", "INTENT_PENDING", "DONE", "INTENT_EXECUTED"]
    assert {row.code for row in outbox["alerts"]} >= {why}
    assert len(outbox["orders"]) == (2 if why == "ENTRY_EXPIRED" else 3)
    assert fields(outbox["fills"], "ts", "price") == [(5, "99")]


def test_an_intent_without_a_stop_is_refused_by_the_gate() -> None:
    _, outbox = play([given(1.5, "buy", intent="x", symbol=BTC)])
    assert [row.code for row in outbox["replies"]] == ["STOP_MISSING"]


def test_after_it_has_expired_an_intent_is_a_new_one() -> None:
    rows = flat(range(1, 70), 100.0)
    commands = [given(1.5, "buy", **BUY), given(3.5, "close", strategy="manual"), given(61.6, "buy", **BUY)]
    _, outbox = play(commands, rows)
    assert [row.code for row in outbox["replies"]] == ["DONE", "DONE", "DONE"]
    assert fields(outbox["orders"], "ts", "leg") == [(1, "entry"), (3, "close"), (61, "entry")]


def test_two_intents_in_a_symbol_within_a_candle_are_too_soon_and_selling_turns_round() -> None:
    other: dict[str, Any] = {**BUY, "intent": "other"}
    sell: dict[str, Any] = {"intent": "sell", "symbol": BTC, "stop": 105.0}
    _, outbox = play([given(1.5, "buy", **BUY), given(1.6, "buy", **other), given(3.5, "sell", **sell)])
    assert [row.code for row in outbox["replies"]] == ["DONE", "INTENT_TOO_SOON", "DONE"]
    assert fields(outbox["orders"], "ts", "leg", "side") == [
        (1, "entry", "buy"),
        (3, "exit", "sell"),
        (3, "entry", "sell"),
    ]


def test_a_signal_that_was_ordered_is_an_intent_that_has_been_executed() -> None:
    signal = longs(1)[0]
    _, outbox = play([given(3.5, "buy", intent=signal.id, symbol=BTC, stop=95.0)], wishes=[signal])
    assert [row.code for row in outbox["replies"]] == ["INTENT_EXECUTED"]
    assert len(outbox["orders"]) == 1


# -- order and restarts -----------------------------------------------------------------------------------------------

STORY = [
    given(1.5, "buy", **BUY),
    given(2.5, "mode", strategy="b", mode="shadow"),
    given(3.5, "set", **{"risk.quantity": "2"}),
    given(4.5, "close"),
    given(5.5, "pause", **{"for": "2m"}),
    given(6.5, "buy", **BUY),
    given(9.5, "halt", symbol=BTC),
]
WISHES = [*longs(1), *longs(3, strategy="b"), *longs(6, 8), *longs(10)]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_the_records_do_not_depend_on_cuts_or_a_restart(cut: int, restart: bool) -> None:
    rules = {**RULES, "breakers.order_rate.most": 3, "breakers.order_rate.window": "5m"}
    config = settings(rules)
    whole = tell(PortfolioStage(config, commands=STORY), [slices(ROWS, WISHES)])
    stage, outbox = PortfolioStage(config, commands=STORY), new_outbox()
    for begin in range(0, 12, cut):
        rows = [row for row in ROWS if begin < row.minute <= begin + cut]
        wishes = [one for one in WISHES if at(begin) < one.ts <= at(begin + cut)]
        mark = END if begin + cut >= 11 else at(begin + cut)
        for topic, records in tell(stage, [slices(rows, wishes, SHARD, mark, begin)]).items():
            outbox[topic].extend(records)
        if restart:
            state = pickle.loads(pickle.dumps(stage.snapshot()))
            stage = PortfolioStage(config, commands=STORY)
            stage.restore(state)
    assert wired(outbox) == wired(whole)
    assert len(outbox["replies"]) == len(STORY)


def test_what_comes_of_commands_stays_in_their_order_beside_a_shadow_however_the_input_is_cut() -> None:
    """A reset is told with the time of its command, what a command trips with that of the last instant."""
    rules = {"breakers.divergence.alarms": 1, "strategies": [MODES[0], {**MODES[1], "mode": "shadow"}]}
    alarm = [given(3.2, "alarm", id_="1", what="x"), given(3.5, "alarm", id_="3", what="y")]
    commands = [alarm[0], given(3.4, "reset", breaker="divergence"), alarm[1]]
    whole = []
    for cut in (11, 3):
        stage = PortfolioStage(settings({**RULES, **rules}), commands=commands)
        first = slices([row for row in ROWS if row.minute <= cut], (), SHARD, at(cut))
        rest = slices([row for row in ROWS if row.minute > cut], (), SHARD, END, cut)
        whole.append(tell(stage, [first, rest] if cut < 11 else [slices(ROWS)]))
    assert [row.event.removeprefix("CircuitBreaker") for row in whole[0]["breakers"]] == ["Tripped", "Reset", "Tripped"]
    assert wired(whole[0]) == wired(whole[1])


def test_a_new_shadow_knows_the_markets_and_nothing_of_the_positions_of_the_portfolio() -> None:
    exits = {"exits.trail": "percent", "exits.trail_at": 50.0, "exits.time_candles": 9}
    stage = PortfolioStage(settings({**RULES, **exits}))
    later = [*flat((3,), 100.0), *flat((3,), 50.0, ETH), *flat((3,), 20.0, SOL)]  # its lanes grow
    tell(stage, [slices(ROWS[:2], longs(1), watermark=at(2)), slices(later, (), SHARD, at(3), 2)])
    stage.command(given(3.5, "mode", strategy="a", mode="shadow"), at(3))
    live, shadow = stage.live.lanes, stage.shadows["a"].lanes
    assert (live["trail"][0], live["net"][0], live["due"][0]) == (1, 1.0, at(10))
    assert shadow["mark"].tolist() == live["mark"].tolist() == [100.0, 50.0, 20.0]
    for name, value in (("net", 0), ("size", 0), ("trail", 0), ("wake", 0), ("due", NEVER)):
        assert set(shadow[name].tolist()) == {value}, name


def test_a_setting_of_exits_counts_for_what_is_opened_from_then_on() -> None:
    commands = [
        given(3.5, "set", **{"exits.time_candles": "2"}),
        given(3.6, "set", **{"exits.trail": "percent"}),
        given(3.7, "set", **{"exits.trail_at": "2"}),
    ]
    rows = [*flat(range(1, 8), 100.0), *flat(range(1, 6), 100.0, ETH), *flat((6, 7), 97.0, ETH)]
    wishes = [*longs(1), *longs(4, symbol=ETH), *longs(4, strategy="b")]
    _, outbox = play(commands, rows, [*wishes, wish(6, "flat", 100.0)])
    assert [row.status for row in outbox["replies"]] == ["done"] * 3
    assert fields(outbox["fills"], "ts", "symbol", "strategy", "leg", "price") == [
        (2, BTC, "a", "entry", "100"),
        (5, BTC, "b", "entry", "100"),
        (5, ETH, "a", "entry", "100"),
        (6, ETH, "a", "stop", "97"),
        (7, BTC, "b", "time", "100"),
        (7, BTC, "a", "exit", "100"),
    ]


@pytest.mark.parametrize(("told", "found"), [(False, 0.7), (True, 0.5)])
def test_a_saved_file_is_in_force_from_its_command_on_and_not_before(told: bool, found: float) -> None:
    key, rules = "risk.per_trade_pct", {**RULES, "commands.senders": {"config": ["set"]}}
    began, file = settings({**rules, key: 0.7}), settings({**rules, key: 0.5})
    wrote = [given(1.1, "set", "config", **{key: "0.5"})] if told else []
    before = PortfolioStage(began, commands=wrote)
    tell(before, [slices(ROWS, [])])
    after = PortfolioStage(began, file=file)
    after.restore(pickle.loads(pickle.dumps(before.snapshot())))
    assert (after.config.risk.per_trade_pct, after.live.config.risk.per_trade_pct) == (found, found)
