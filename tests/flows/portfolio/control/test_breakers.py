"""Each breaker at its limit, with the exact figures that it tripped on, and what it holds up."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any, NamedTuple

import pytest

from flows.outbox import Outbox
from flows.portfolio.control import BREAKERS
from flows.portfolio.control.base import Breaker
from schemas.config.root import Config
from tests.flows.portfolio.stories import BTC, ETH, Row, fields, fills, flat, minute_of, settings, trade, wish


def told(outbox: Outbox) -> list[tuple[Any, ...]]:
    """(minute, tripped or reset, scope, subject, state, minute of its end, by) of each record."""
    return [
        (
            minute_of(row.ts),
            row.event.removeprefix("CircuitBreaker"),
            row.scope,
            row.strategy or row.symbol,
            row.state,
            None if row.until is None else minute_of(row.until),
            row.by,
        )
        for row in outbox["breakers"]
    ]


def figures(outbox: Outbox) -> list[dict[str, Any]]:
    """Of the trips alone."""
    return [row.figures for row in outbox["breakers"] if row.event == "CircuitBreakerTripped"]


def falling(*closes: float, symbol: str = BTC, first: int = 1) -> list[Row]:
    """Candles that open where the one before closed."""
    opens = [closes[0], *closes]
    return [
        Row(n, a, max(a, b), min(a, b), b, symbol) for n, (a, b) in enumerate(zip(opens, closes, strict=False), first)
    ]


def losers(minutes: Sequence[int], strategy: str = "a", symbol: str = BTC) -> list[Any]:
    """Longs whose stop lies in the candle after the entry's fill."""
    return [wish(minute, "long", 100.0, 99.0, strategy=strategy, symbol=symbol) for minute in minutes]


def drops(minutes: Sequence[int], low: float = 98.5, symbol: str = BTC) -> list[Row]:
    """Candles at 100, some of them with a low below."""
    return [Row(n, 100.0, 100.0, low if n in minutes else 100.0, 100.0, symbol) for n in range(1, max(minutes) + 4)]


class Case(NamedTuple):
    """Settings of one breaker, a story, the minute of the first trip (0: none) with place and figures."""

    breaker: str
    rules: dict[str, Any]
    rows: Sequence[Row]
    wishes: Sequence[Any]
    minute: int
    place: tuple[str, str | None] = ("portfolio", None)
    figures: dict[str, Any] | None = None


LONG = [wish(1, "long", 100.0, 10.0)]
THREE = {"losses": 3, "most": 3}
CASES = [
    # 10,000 in cash, 1 unit bought at 100: equity 10,240 at 340, of which 1/256 is 40.
    Case("drawdown", {"max_pct": 100 / 256}, falling(100, 100, 340, 300.5), LONG, 0),
    Case(
        "drawdown",
        {"max_pct": 100 / 256},
        falling(100, 100, 340, 300),
        LONG,
        4,
        figures={"equity": 10200.0, "peak": 10240.0, "fall_pct": 100 / 256},
    ),
    Case("daily_loss", {"max_pct": 0.8}, falling(100, 100, 120, 20.5), LONG, 0),
    Case(
        "daily_loss",
        {"max_pct": 0.8},
        falling(100, 100, 120, 20),
        LONG,
        4,
        figures={"equity": 9920.0, "began": 10000.0, "lost": 80.0, "lost_pct": 0.8},
    ),
    Case("consecutive_losses", {"most": 3}, drops([3, 6]), losers([1, 4]), 0),
    Case(
        "consecutive_losses",
        {"most": 3},
        drops([3, 6, 9]),
        losers([1, 4, 7]),
        9,
        figures={**THREE, "lost": 3.0},
    ),
    Case(
        "consecutive_losses",
        {"most": 2, "scope": "strategy"},
        drops([3, 6, 9]),
        [*losers([1]), *losers([4], "b"), *losers([7])],
        9,
        ("strategy", "a"),
        {"losses": 2, "most": 2, "lost": 2.0},
    ),
    Case("losses", {"most": 3, "window": "6m"}, drops([3, 6, 9]), losers([1, 4, 7]), 0),
    Case(
        "losses",
        {"most": 3, "window": "7m"},
        drops([3, 6, 9]),
        losers([1, 4, 7]),
        9,
        figures={**THREE, "window": "7m"},
    ),
    Case("slippage", {"max_pct": 2.0, "fills": 2}, falling(100, 102, 104, 104), [wish(1, "long", 100.0, 10.0)], 0),
    # Decided at 100, filled at 103 (3 % worse); decided at 103 to get out, filled at 101.97 (1 % worse).
    Case(
        "slippage",
        {"max_pct": 1.9, "fills": 2},
        [*flat((1,), 100.0), Row(2, 103, 103, 103, 103), Row(3, 101.97, 103, 101.97, 103)],
        [wish(1, "long", 100.0, 10.0), wish(2, "flat", 103.0)],
        3,
        figures={"mean_pct": pytest.approx(2.0), "max_pct": 1.9, "fills": 2, "last_pct": pytest.approx(1.0)},
    ),
    Case(
        "rejections",
        {"max_pct": 75.0, "decisions": 4},
        flat(range(1, 8), 100.0),
        [wish(1, "long", 100.0, 10.0), *(wish(n, "long", 100.0, strategy="b") for n in range(2, 6))],
        4,
        figures={"refused": 3, "decisions": 4, "refused_pct": 75.0, "max_pct": 75.0},
    ),
    Case("stale_data", {"after": "3m"}, [*flat((1, 2, 5), 100.0), *flat((6,), 100.0)], [], 0),
    Case(
        "stale_data",
        {"after": "3m"},
        [*flat((1, 2, 6), 100.0), *flat(range(1, 7), 100.0, ETH)],
        [],
        6,
        ("symbol", BTC),
        {"gap_ms": 240_000, "after": "3m"},
    ),
    Case(
        "order_rate",
        {"most": 2, "window": "10m", "scope": "symbol"},
        flat(range(1, 8), 100.0),
        [wish(1, "long", 100.0, 10.0), wish(3, "short", 100.0, 500.0), wish(5, "long", 100.0, 10.0)],
        5,
        ("symbol", BTC),
        {"orders": 3, "most": 2, "window": "10m"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.breaker}-{case.minute}-{case.place[0]}")
def test_a_breaker_trips_on_these_figures(case: Case) -> None:
    rules = {f"breakers.{case.breaker}.{key}": value for key, value in case.rules.items()}
    _, outbox = trade(settings(rules), case.rows, case.wishes)
    trips = [row for row in outbox["breakers"] if row.event == "CircuitBreakerTripped"]
    if not case.minute:
        assert trips == []
        return
    (trip,) = trips
    assert (trip.breaker, minute_of(trip.ts)) == (case.breaker, case.minute)
    assert (trip.scope, trip.strategy or trip.symbol) == case.place
    assert trip.figures == case.figures
    assert {key: trip.settings[key] for key in case.rules} == case.rules
    assert (trip.mode, trip.portfolio, trip.action, trip.by) == ("live", "main", "block", case.breaker)


def test_a_shock_is_a_return_beyond_a_multiple_of_the_volatility_before_it() -> None:
    rules = {"risk.vol_span": 2, "breakers.volatility.times": 5.0, "breakers.volatility.reset": "2m"}
    closes = (100.0, 101.0, 100.0, 101.0, 120.0, 120.0, 120.0)
    quiet = flat(range(1, 8), 50.0, ETH)
    wishes = [wish(5, "long", 120.0, 10.0), wish(5, "long", 50.0, 10.0, symbol=ETH), wish(7, "long", 120.0, 10.0)]
    _, outbox = trade(settings(rules), [*falling(*closes), *quiet], wishes)
    assert told(outbox) == [
        (5, "Tripped", "symbol", BTC, "REDUCING", 7, "volatility"),
        (7, "Reset", "symbol", BTC, "ACTIVE", None, "time"),
    ]
    # All returns before were of one size, ln 1.01, so that is the volatility: ln(120 / 101) is 17.3 times as much.
    assert figures(outbox) == [{"shock": pytest.approx(log(120 / 101) / log(1.01)), "times": 5.0}]
    assert fields(outbox["rejections"], "ts", "symbol", "code") == [(5, BTC, "TRADING_REDUCING")]
    assert fields(outbox["orders"], "ts", "symbol") == [(5, ETH), (7, BTC)]


def test_a_breaker_that_closes_all_does_so_at_the_next_opens_and_halts() -> None:
    rules = {"breakers.drawdown.max_pct": 0.3, "breakers.drawdown.action": "close"}
    rows = [*falling(100, 100, 60, 61, 62, 63), *falling(50, 50, 50, 51, 52, 52, symbol=ETH)]
    wishes = [
        wish(1, "long", 100.0, 10.0),
        wish(1, "short", 50.0, 90.0, symbol=ETH, strategy="b"),
        wish(3, "flat", 60.0),
        wish(4, "long", 61.0, 10.0),
    ]
    account, outbox = trade(settings(rules), rows, wishes)
    assert told(outbox) == [(3, "Tripped", "portfolio", None, "HALTED", None, "drawdown")]
    assert fields(outbox["orders"], "ts", "symbol", "leg", "reduce_only", "reason")[2:] == [
        (3, BTC, "close", True, "closed by drawdown"),
        (3, ETH, "close", True, "closed by drawdown"),
    ]
    assert fills(outbox)[2:] == [
        (4, "a", "close", "sell", "1", "60", "0E-8"),
        (4, "b", "close", "buy", "1", "50", "0E-8"),
    ]
    assert fields(outbox["rejections"], "ts", "gate", "code", "side") == [
        (4, "trading_state", "TRADING_HALTED", "buy"),
    ]
    assert fields(outbox["alerts"], "ts", "level", "code") == [(3, "critical", "BREAKER_TRIPPED")]
    assert account.book.holdings == {}


def test_in_reducing_signals_close_and_do_not_turn_round_and_in_halted_stops_go_on() -> None:
    for action, legs in (("block", ["entry", "exit"]), ("halt", ["entry", "stop"])):
        rules = {"breakers.drawdown.max_pct": 0.1, "breakers.drawdown.action": action}
        wishes = [wish(1, "long", 100.0, 60.0), wish(3, "short", 80.0, 90.0)]
        _, outbox = trade(settings(rules), falling(100, 100, 80, 80, 50), wishes)
        assert [row.leg for row in outbox["orders"]] == legs


def test_an_entry_that_waits_when_trading_is_held_up_is_withdrawn() -> None:
    # ETH has a candle every other minute only: its entry of minute 1 still waits when BTC falls in minute 2.
    rules = {"breakers.losses.most": 1}
    rows = [*drops([3]), *flat((2, 6), 50.0, ETH)]
    wishes = [*losers([1]), wish(2, "long", 50.0, 10.0, symbol=ETH, strategy="b")]
    account, outbox = trade(settings(rules), rows, wishes)
    assert told(outbox) == [(3, "Tripped", "portfolio", None, "REDUCING", None, "losses")]
    entry = next(order for order in outbox["orders"] if order.symbol == ETH)
    (withdrawn,) = (row for row in outbox["alerts"] if row.code == "ENTRY_WITHDRAWN")
    assert (minute_of(withdrawn.ts), withdrawn.symbol, withdrawn.figures) == (
        3,
        ETH,
        {"order_id": entry.id, "strategy": "b", "side": "buy", "by": "losses", "quantity": "1"},
    )
    assert [fill[1] for fill in fills(outbox)] == ["a", "a"]
    assert (account.desk.committed, account.desk.coming) == (0.0, 0)


DAYS = [*falling(100, 100, 60, 60), *flat((1440, 1441, 1442), 60.0)]


@pytest.mark.parametrize(
    ("reset", "later"),
    [
        ("command", []),
        ("day", [(1440, "Reset", "portfolio", None, "ACTIVE", None, "day")]),
        ("1d", []),
        ("20h", [(1440, "Reset", "portfolio", None, "ACTIVE", None, "time")]),
    ],
)
def test_a_breaker_is_reset_by_command_by_day_or_by_time(reset: str, later: list[Any]) -> None:
    rules = {"breakers.daily_loss.max_pct": 0.3, "breakers.daily_loss.reset": reset}
    _, outbox = trade(settings(rules), DAYS, LONG)
    until = {"1d": 1443, "20h": 1203}.get(reset)
    assert told(outbox) == [(3, "Tripped", "portfolio", None, "REDUCING", until, "daily_loss"), *later]


def test_after_a_reset_the_drawdown_is_measured_from_the_equity_of_then() -> None:
    rules = {"breakers.drawdown.max_pct": 0.3, "breakers.drawdown.reset": "1m"}
    _, outbox = trade(settings(rules), falling(100, 100, 60, 60, 40, 29), LONG)
    assert [(minute, what) for minute, what, *_ in told(outbox)] == [(3, "Tripped"), (4, "Reset"), (6, "Tripped")]
    assert figures(outbox)[1] == {"equity": 9929.0, "peak": 9960.0, "fall_pct": 100 * 31 / 9960}


def test_after_a_reset_the_loss_of_the_day_is_measured_from_the_equity_of_then_until_the_next_day() -> None:
    rules = {"breakers.daily_loss.max_pct": 0.19, "breakers.daily_loss.reset": "1m"}
    rows = [*falling(100, 100, 80, 80, 62, 60), *falling(60, 70, 70, 52, 50, first=1439)]
    _, outbox = trade(settings(rules), rows, LONG)
    assert [(minute, what) for minute, what, *_ in told(outbox)] == [
        *((3, "Tripped"), (4, "Reset"), (6, "Tripped"), (1439, "Reset"), (1443, "Tripped")),
    ]
    assert figures(outbox)[1:] == [
        {"equity": 9960.0, "began": 9980.0, "lost": 20.0, "lost_pct": 100 * 20 / 9980},
        {"equity": 9950.0, "began": 9970.0, "lost": 20.0, "lost_pct": 100 * 20 / 9970},
    ]


def test_nothing_is_sold_twice_for_one_loss_of_the_day() -> None:
    rules = {"breakers.daily_loss": {"max_pct": 0.3, "action": "reduce", "share_pct": 50, "reset": "1m"}}
    _, outbox = trade(settings(rules), falling(100, 100, 60, *(60,) * 6), LONG)
    assert [(minute, what) for minute, what, *_ in told(outbox)] == [(3, "Tripped"), (4, "Reset")]
    assert fields(outbox["orders"], "ts", "leg", "quantity") == [(1, "entry", "1"), (3, "close", "0.5")]


def test_a_loss_at_the_close_of_an_instant_holds_up_the_signals_of_that_instant() -> None:
    rules = {"breakers.consecutive_losses.most": 1, "broker.fill_at": "close"}
    _, outbox = trade(settings(rules), drops([2]), [*losers([1, 2]), *losers([2], "b")])
    assert fields(outbox["rejections"], "ts", "strategy", "code") == [
        (2, "a", "TRADING_REDUCING"),
        (2, "b", "TRADING_REDUCING"),
    ]


def test_without_breakers_nothing_of_this_is_there() -> None:
    account, outbox = trade(settings(), falling(100, 100, 60), LONG)
    assert account.steering is None
    assert "trading_state" not in outbox["orders"][0].checks
    assert "breakers" not in outbox


@pytest.mark.parametrize("breaker", BREAKERS, ids=lambda breaker: breaker.name)
def test_every_breaker_is_named_for_its_file_and_its_section_and_is_off_by_default(breaker: type[Breaker]) -> None:
    assert breaker.__module__.rpartition(".")[2] == breaker.name
    assert breaker.name in type(Config().breakers).model_fields
    assert not breaker.wanted(Config())


def test_there_is_a_breaker_for_every_section() -> None:
    assert [breaker.name for breaker in BREAKERS] == list(type(Config().breakers).model_fields)


def test_in_halted_a_wish_to_get_out_is_refused_and_told() -> None:
    rules = {"breakers.drawdown.max_pct": 0.1, "breakers.drawdown.action": "halt"}
    _, outbox = trade(settings(rules), falling(100, 100, 80, 80), [*LONG, wish(3, "flat", 80.0)])
    assert fields(outbox["rejections"], "ts", "gate", "code", "side") == [
        (3, "trading_state", "TRADING_HALTED", "sell")
    ]
