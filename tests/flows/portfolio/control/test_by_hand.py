"""Orders by hand: what is refused has changed nothing, time is that of the click, and a refusal locks nothing."""

from __future__ import annotations

from typing import Any

import pytest

from flows.portfolio.stage import PortfolioStage
from tests.flows.portfolio.control.test_commands import BUY, ROWS, RULES, answers, given, play
from tests.flows.portfolio.stories import BTC, ETH, START, at, checked, fields, flat, minute_of, settings, slices, tell

SPREAD: dict[str, Any] = {"risk__max_spread_bps": 10.0}
QUOTE = {"bid": 99.99, "ask": 100.01}


@pytest.mark.parametrize("fill_at", ["next_open", "close"])
@pytest.mark.parametrize(
    ("sell", "rules", "code"),
    [
        ({"stop": 102.0}, SPREAD, "SPREAD_UNKNOWN"),
        ({"stop": 98.0, **QUOTE}, {}, "STOP_WRONG_SIDE"),
        (QUOTE, {}, "STOP_MISSING"),
        ({"stop": 102.0, **QUOTE}, {"risk__max_orders": 1, "risk__order_window": "1h"}, "ORDERS_TOO_MANY"),
        ({"stop": 102.0, **QUOTE}, {"risk__sessions": ["sat 00:00-00:03"]}, "SESSION_CLOSED"),
    ],
)
def test_a_reversal_that_is_refused_leaves_the_position_where_it_is(
    sell: dict[str, Any], rules: dict[str, Any], code: str, fill_at: str
) -> None:
    clicks = [given(1.5, "buy", **{**BUY, **QUOTE}), given(3.5, "sell", intent="turn", symbol=BTC, **sell)]
    stage, outbox = play(clicks, broker__fill_at=fill_at, **rules)
    assert [row.code for row in outbox["replies"]] == ["DONE", code]
    assert fields(outbox["orders"], "leg", "side") == [("entry", "buy")]
    assert len(outbox["fills"]) == 1
    assert [(row.gate != "", row.code, row.signal_id) for row in outbox["rejections"]] == [
        (True, code, outbox["signals"][1].id)
    ]
    (holding,) = stage.live.book.holdings.values()
    assert (holding.side, str(holding.quantity), str(holding.stop)) == (1, "1", "95")


def test_a_reversal_that_would_be_refused_by_what_its_own_exit_sets_off_does_not_begin() -> None:
    """Filled at the close, the exit would begin the peace that the entry then breaks."""
    turn = given(3.5, "sell", intent="turn", symbol=BTC, stop=102.0)
    for fill_at, codes in (("close", ["DONE", "COOLDOWN_ACTIVE"]), ("next_open", ["DONE", "DONE"])):
        stage, outbox = play([given(1.5, "buy", **BUY), turn], broker__fill_at=fill_at, risk__cooldown="5m")
        assert [row.code for row in outbox["replies"]] == codes
        assert [one.side for one in stage.live.book.holdings.values()] == [1 if fill_at == "close" else -1]


def test_an_entry_that_waits_is_not_withdrawn_for_one_that_is_refused() -> None:
    limit: dict[str, Any] = {"entries__type": "limit", "entries__at": 1.0, "entries__candles": 5}
    clicks = [given(1.5, "buy", **BUY), given(2.5, "sell", intent="turn", symbol=BTC)]
    stage, outbox = play(clicks, flat((1, 2, 3), 100.0), **limit)
    assert [row.code for row in outbox["replies"]] == ["DONE", "STOP_MISSING"]
    assert "alerts" not in outbox or not outbox["alerts"]
    assert [str(one.order.price) for one in stage.live.broker.pending[BTC]] == ["99"]


def test_a_refused_intent_may_be_mended_behind_the_same_candle() -> None:
    clicks = [
        given(1.2, "buy", intent="x", symbol=BTC),
        given(1.4, "buy", intent="x", symbol=BTC, stop=101.0),
        given(1.6, "buy", intent="x", symbol=BTC, stop=95.0),
    ]
    _, outbox = play(clicks)
    assert [row.code for row in outbox["replies"]] == ["STOP_MISSING", "STOP_WRONG_SIDE", "DONE"]
    assert fields(outbox["orders"], "ts", "leg") == [(1, "entry")]
    assert len({row.id for row in outbox["rejections"]}) == 2


def test_who_is_too_soon_is_told_what_waits() -> None:
    again: dict[str, Any] = {**BUY, "intent": "again"}
    clicks = [
        given(1.5, "buy", **BUY),
        given(1.6, "buy", id_="entry", **again),
        given(3.5, "close", strategy="manual"),
        given(3.6, "buy", id_="close", **again),
    ]
    _, outbox = play(clicks)
    told = {row.command_id: row.figures for row in outbox["replies"] if row.code == "INTENT_TOO_SOON"}
    why = "an order that was given before waits for the symbol's next candle"
    orders = {order.leg: order.id for order in outbox["orders"]}
    assert told == {
        leg: {"symbol": BTC, "order_id": orders[leg], "why": f"{why} ({leg})"} for leg in ("entry", "close")
    }
    _, outbox = play(clicks[:2], broker__fill_at="close")
    assert outbox["replies"][1].figures["why"] == "another one was ordered behind the same candle"


def test_sessions_are_those_of_the_click() -> None:
    """2022-01-01 was a Saturday; the last candle closed at 00:01, the clicks come at 00:01:30 and 00:02:30."""
    clicks = [given(1.5, "buy", **BUY), given(2.5, "buy", **BUY)]
    _, outbox = play(clicks, flat((1, 4), 100.0), risk__sessions=["sat 00:02-24:00"])
    assert [row.code for row in outbox["replies"]] == ["SESSION_CLOSED", "DONE"]
    assert outbox["rejections"][0].figures == {"at": "sat 00:01"}
    (order,) = outbox["orders"]
    assert (minute_of(order.ts), checked(order)["session"]) == (1, {"at": "sat 00:02"})


def test_the_cooldown_ends_by_the_clock_of_the_click() -> None:
    buys = [given(minute, "buy", **{**BUY, "intent": str(minute)}) for minute in (1.5, 4.5, 5.5)]
    _, outbox = play([*buys[:1], given(2.5, "close", strategy="manual"), *buys[1:]], risk__cooldown="150s")
    assert answers(outbox)[2:] == [("buy", "refused", "COOLDOWN_ACTIVE"), ("buy", "done", "DONE")]
    assert outbox["rejections"][0].figures == {"since_exit_ms": 90_000, "least_ms": 150_000}
    assert checked(outbox["orders"][-1])["cooldown"] == {"since_exit_ms": 150_000, "least_ms": 150_000}


def test_the_rate_of_orders_counts_clicks_by_their_times() -> None:
    """The entry at 1:30 is two minutes old at 3:30, though its candle had closed at 1:00."""
    eth = [given(minute, "buy", intent=str(minute), symbol=ETH, stop=95.0) for minute in (3.49, 3.5)]
    rows = [*ROWS, *flat(range(1, 12), 100.0, ETH)]
    _, outbox = play([given(1.5, "buy", **BUY), *eth], rows, risk__max_orders=1, risk__order_window="2m")
    assert [row.code for row in outbox["replies"]] == ["DONE", "ORDERS_TOO_MANY", "DONE"]


def test_a_price_of_long_ago_is_not_traded_by_hand() -> None:
    """The symbol's own last candle counts; others may go on. 1m for the next candle, and 1m of `commands.max_age`."""
    clicks = [given(minute, "buy", **{**BUY, "intent": str(minute)}) for minute in (5, 5.01)]
    rows = [*flat((1, 2, 3), 100.0), *flat(range(1, 12), 100.0, ETH)]
    for click, code in zip(clicks, ("DONE", "DATA_STALE"), strict=True):
        _, outbox = play([click], rows)
        assert [row.code for row in outbox["replies"]] == [code]
    assert outbox["replies"][0].figures == {"age_ms": 120_600, "most_ms": 120_000}
    assert fields(outbox["orders"], "leg") == []
    assert fields(outbox["rejections"], "ts", "strategy", "side", "gate", "message", "signal_id") == [
        (5, "manual", "buy", "stale_data", "DATA_STALE: age_ms=120600 most_ms=120000", outbox["signals"][0].id)
    ]
    _, outbox = play(clicks[1:], rows, commands__max_age="2m")
    assert [row.code for row in outbox["replies"]] == ["DONE"]


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(
    ("named", "levels"),
    [
        ({}, (-5, 15)),
        ({"stop": -2}, (-2, 6)),  # and the target is at three of those distances
        ({"target": 1}, (-5, 1)),
        ({"stop": -2, "target": 1}, (-2, 1)),
    ],
    ids=["none", "stop", "target", "both"],
)
def test_what_a_person_names_goes_before_a_distance_that_is_configured(
    side: str, named: dict[str, int], levels: tuple[int, int]
) -> None:
    sign = 1 if side == "buy" else -1
    prices: dict[str, Any] = {name: 100.0 + sign * away for name, away in named.items()}
    exits = {"stop": "percent", "stop_at": 5, "target": "reward", "target_at": 3}
    _, outbox = play([given(1.5, side, intent="x", symbol=BTC, **prices)], exits=exits)
    (order,) = outbox["orders"]
    assert (float(order.stop), float(order.target)) == (100 + sign * levels[0], 100 + sign * levels[1])
    figures = outbox["replies"][0].figures
    assert (figures["stop"], figures["target"]) == (str(order.stop), str(order.target))


@pytest.mark.parametrize(
    ("prices", "code"), [({"stop": 90.0}, "STOP_WRONG_SIDE"), ({"target": 101.0}, "TARGET_WRONG_SIDE")]
)
def test_what_a_person_names_has_to_lie_on_its_side(prices: dict[str, Any], code: str) -> None:
    exits = {"stop": "percent", "stop_at": 5, "target": "reward", "target_at": 3}
    _, outbox = play([given(1.5, "sell", intent="x", symbol=BTC, **prices)], exits=exits)
    assert [row.code for row in outbox["replies"]] == [row.code for row in outbox["rejections"]] == [code]
    assert outbox["orders"] == []


def test_the_clock_of_a_click_is_that_of_the_journal() -> None:
    stage = PortfolioStage(settings({**RULES, "risk.sessions": ["sat 00:00-00:03"], "commands.max_age": "10m"}))
    tell(stage, [slices(ROWS[:2], watermark=at(2))])
    late, now = given(2.5, "buy", **BUY), START + 3 * 60_000
    codes = [row.code for row in stage.command(late, now)["replies"]]
    again = given(2.5, "buy", id_="again", **BUY)
    codes += [row.code for row in stage.command(again, now - 1)["replies"]]
    assert codes == ["SESSION_CLOSED", "DONE"]


def test_a_position_whose_time_is_up_names_the_time_that_it_was_entered_with() -> None:
    commands = [given(1.5, "buy", **BUY), given(3.5, "set", **{"exits.time_candles": "2"})]
    _, outbox = play(commands, exits__time_candles=5)
    assert fields(outbox["orders"], "ts", "leg", "reason")[1] == (6, "time", "held for 5 candles")
