"""Stops and targets by rule, break-even, trailing stops, time: each story with its figures, long and mirrored."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from flows.outbox import new_outbox
from flows.portfolio.account import Account
from schemas.config.root import Config
from tests.flows.portfolio.stories import Row, block, fields, flat, settings, trade, wired, wish

Candle = tuple[float, float, float, float]


def rows_of(side: int, candles: list[Candle]) -> list[Row]:
    """Candles, mirrored about 100 for a short."""
    found = []
    for minute, candle in enumerate(candles, start=1):
        open_, high, low, close = (100 + side * (price - 100) for price in candle)
        found.append(Row(minute, open_, max(high, low), min(high, low), close))
    return found


def told(config: Config, side: int, candles: list[Candle], minute: int = 1, stop: float | None = 95.0) -> Any:
    """What comes of a wish at 100, which is the close of the candle of that minute. The stop is that of a long."""
    level = None if stop is None else 100 + side * (stop - 100)
    return trade(config, rows_of(side, candles), [wish(minute, "long" if side > 0 else "short", 100.0, level)])


def told_fills(outbox: Any, side: int) -> list[tuple[int, str, float]]:
    """(minute, leg, price) of the fills behind the entry, mirrored back."""
    found = fields(outbox["fills"], "ts", "leg", "price")[1:]
    return [(ts, leg, 100 + side * (float(price) - 100)) for ts, leg, price in found]


BEFORE: list[Candle] = [(100, 101, 99, 100)]
"""A range of 2, but no true range yet: there is no close before it."""
WARM: list[Candle] = [(100, 100, 100, 100), (100, 101, 99, 100)]


# -- stop and target by rule --------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("exits", "stop", "target"),
    [
        ({}, 93.0, 120.0),
        ({"stop": "percent", "stop_at": 2.5}, 97.5, 120.0),
        ({"stop": "percent", "stop_at": 2.4}, 98.0, 120.0),
        ({"target": "percent", "target_at": 3}, 93.0, 103.0),
        ({"target": "reward", "target_at": 1.5}, 93.0, 110.5),
        ({"stop": "percent", "stop_at": 4, "target": "reward", "target_at": 2}, 96.0, 108.0),
        ({"stop": "atr", "stop_at": 1.5}, 97.0, 120.0),
        ({"target": "atr", "target_at": 2.6}, 93.0, 105.0),
    ],
)
def test_the_levels_of_an_entry(side: int, exits: dict[str, Any], stop: float, target: float) -> None:
    config = settings({"exits": exits, "instruments.default.tick": "0.5", "risk.atr_period": 1})
    rows = [Row(1, 100, 100, 100, 100), Row(2, 100, 101, 99, 100)]  # a true range of 2
    one = wish(2, "long" if side > 0 else "short", 100.0, 100 - 7 * side, 100 + 20 * side)
    _, outbox = trade(config, rows, [one])
    (order,) = outbox["orders"]
    assert (float(order.stop), float(order.target)) == (100 + side * (stop - 100), 100 + side * (target - 100))


def test_a_rule_needs_no_stop_and_no_target_of_the_signal() -> None:
    config = settings({"exits": {"stop": "percent", "stop_at": 1, "target": "reward", "target_at": 3}})
    _, outbox = told(config, 1, BEFORE, stop=None)
    assert fields(outbox["orders"], "stop", "target") == [("99", "103")]


@pytest.mark.parametrize(
    "exits",
    [
        {"stop": "atr"},
        {"target": "atr"},
        {"trail": "atr"},
        {"trail": "chandelier"},
        {"ladder": [{"share_pct": 50, "by": "atr", "at": 1}]},
        {"dual": {"stop_money": 1, "by": "atr"}},
    ],
    ids=str,
)
def test_nothing_is_entered_before_the_range_is_known_that_a_level_is_measured_in(exits: dict[str, Any]) -> None:
    _, outbox = told(settings({"exits": exits, "risk.atr_period": 1}), 1, BEFORE)
    assert [row.message for row in outbox["rejections"]] == ["ATR_UNKNOWN: price=100"]


def test_a_rung_and_leg_b_in_average_true_ranges() -> None:
    exits = {"ladder": [{"share_pct": 50, "by": "atr", "at": 1.5}], "dual": {"stop_money": 4, "by": "atr", "at": 1}}
    config = settings({"exits": exits, "risk.atr_period": 1, "risk.quantity": "4"})
    rows = [Row(1, 100, 100, 100, 100), Row(2, 100, 101, 99, 100)]
    _, outbox = trade(config, rows, [wish(2, "long", 100.0, 93.0, 120.0)])
    assert fields(outbox["orders"][0].tranches, "quantity", "stop", "target") == [
        ("2", "98", "102"),
        ("1", "93", "103"),
        ("1", "93", "120"),
    ]


# -- break-even ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("candles", "exits"),
    [
        ([(100, 105, 99, 104), (104, 104, 100, 101)], [(3, "stop", 100)]),
        ([(100, 104.99, 99, 104), (104, 104, 100, 101)], []),
        ([(100, 105, 100, 104), (104, 104, 100.01, 101)], []),
        ([(100, 105, 95, 104)], [(2, "stop", 95)]),
        ([(100, 105, 99, 98), (98, 99, 97, 98)], [(3, "stop", 98)]),
    ],
    ids=[
        "in force from the next candle on",
        "not far enough ahead",
        "the candle that was ahead does not count",
        "the first stop comes first",
        "closed below the entry: it leaves at the next open",
    ],
)
def test_the_stop_goes_to_the_entry_once_the_price_was_ahead(
    side: int, candles: list[Candle], exits: list[Any]
) -> None:
    config = settings({"exits.break_even_at": 1})
    _, outbox = told(config, side, [(100, 100, 100, 100), *candles])
    assert told_fills(outbox, side) == exits


def test_the_move_is_a_record_of_the_position_and_is_made_once() -> None:
    candles: list[Candle] = [(100, 100, 100, 100), (101, 108, 100, 104), (104, 109, 103, 104), (104, 110, 103, 104)]
    _, outbox = told(settings({"exits.break_even_at": 1}), 1, candles)
    # Entered at 101: six ahead is 107, and the stop goes to 101.
    assert fields(outbox["positions"], "ts", "status", "quantity", "stop") == [
        (2, "open", "1", "95"),
        (2, "open", "1", "101"),
    ]


@pytest.mark.parametrize(("after", "stops"), [(1, ["95", "95", "100"]), (2, ["95", "95", "95"])])
def test_the_stop_goes_to_the_entry_after_so_many_targets(after: int, stops: list[str]) -> None:
    exits = {"ladder": [{"share_pct": 50, "at": 1}, {"share_pct": 25, "at": 2}], "break_even_after": after}
    candles: list[Candle] = [(100, 100, 100, 100), (100, 106, 99, 104), (104, 104, 100.5, 101)]
    _, outbox = told(settings({"exits": exits, "risk.quantity": "4"}), 1, candles)
    assert [str(row.stop) for row in outbox["positions"]] == stops[: 2 + (after == 1)]


def test_in_two_legs_only_stops_that_are_farther_away_go_to_the_entry() -> None:
    exits = {"dual": {"stop_money": "4", "at": 4}, "break_even_at": 1}
    candles: list[Candle] = [(100, 100, 100, 100), (100, 106, 99, 104), (104, 104, 99, 100)]
    _, outbox = told(settings({"exits": exits, "risk.quantity": "4"}), 1, candles)
    assert fields(outbox["fills"], "ts", "leg", "quantity", "price")[1:] == [(3, "stop", "4", "100")]


# -- trailing --------------------------------------------------------------------------------------------------------


def trailing(side: int, exits: dict[str, Any], candles: list[Candle], tick: str = "0.1") -> list[float]:
    """The stop in force after each candle from the second on, as that of a long; true ranges of one candle."""
    config = settings({"exits": exits, "instruments.default.tick": tick, "risk.atr_period": 1})
    stops = []
    for count in range(3, len(candles) + 1):
        account, _ = told(config, side, candles[:count], minute=2, stop=90.0)
        (position,) = account.state()["positions"]
        stops.append(100 + side * (float(position.stop) - 100))
    return [round(stop, 9) for stop in stops]


RISING: list[Candle] = [
    *WARM,
    (100, 104, 99, 103),
    (103, 110, 102, 104),
    (104, 106, 103, 105),
    (105, 106, 104.5, 104.5),
]
"""From the third candle on, that of the entry: closes 103, 104, 105, 104.5; true ranges 5, 8, 3, 1.5; highs to 110."""


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("exits", "stops"),
    [
        ({"trail": "atr", "trail_at": 1}, [98.0, 98.0, 102.0, 103.0]),
        ({"trail": "atr", "trail_at": 1.5}, [95.5, 95.5, 100.5, 102.3]),
        ({"trail": "atr", "trail_at": 3}, [90.0, 90.0, 96.0, 100.0]),
        ({"trail": "chandelier", "trail_at": 2}, [94.0, 94.0, 104.0, 107.0]),
    ],
    ids=[
        "one range",
        "one and a half",
        "farther than the first stop at first",
        "behind the best price",
    ],
)
def test_a_trailing_stop_follows_and_never_moves_back(side: int, exits: dict[str, Any], stops: list[float]) -> None:
    assert trailing(side, exits, RISING) == stops


def test_a_trailing_stop_in_percent_is_on_the_tick_towards_the_price() -> None:
    # 1.3 % behind 103, 104, 105, 104: 101.661, 102.648, 103.635
    assert trailing(1, {"trail": "percent", "trail_at": 1.3}, RISING) == [101.7, 102.7, 103.7, 103.7]
    assert trailing(1, {"trail": "percent", "trail_at": 1.3}, RISING, "0.2") == [101.8, 102.8, 103.8, 103.8]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("last", "exits"),
    [
        ((103, 104, 101, 102), [(4, "stop", 101)]),
        ((103, 104, 101.01, 102), []),
        ((100, 104, 99, 102), [(4, "stop", 100)]),
    ],
    ids=["touched", "not touched", "gap"],
)
def test_the_moved_stop_is_in_force_from_the_next_candle_on(side: int, last: Candle, exits: list[Any]) -> None:
    # The true range of the third candle, that of the entry, is 5: the stop goes to 103 - 0.4 × 5 = 101.
    candles: list[Candle] = [(100, 100, 100, 100), (100, 100, 100, 100), (100, 104, 99, 103), last]
    config = settings({"exits": {"trail": "atr", "trail_at": 0.4}, "risk.atr_period": 1})
    _, outbox = told(config, side, candles, minute=2, stop=90.0)
    assert told_fills(outbox, side) == exits


def test_each_of_several_positions_in_a_symbol_trails_on_its_own() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 110, 100, 110), *flat((4,), 110.0), Row(5, 104, 104, 104, 104)]
    wishes = [
        wish(1, "long", 100.0, 90.0),
        wish(1, "short", 100.0, 120.0, strategy="c"),
        wish(3, "long", 110.0, 100.0, strategy="b"),
    ]
    account, outbox = trade(settings({"exits": {"trail": "percent", "trail_at": 5}}), rows, wishes)
    # a and b: 5 % behind 110 is 104.5; c: above 100 105, reached by the third candle
    assert fields(outbox["fills"], "ts", "strategy", "leg", "price")[2:] == [
        (3, "c", "stop", "105"),
        (4, "b", "entry", "110"),
        (5, "a", "stop", "104"),
        (5, "b", "stop", "104"),
    ]
    assert account.book.holdings == {}


# -- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fill_at", "candles", "order", "fill"),
    [("next_open", 1, 2, 3), ("next_open", 3, 4, 5), ("close", 1, 2, 2), ("close", 3, 4, 4)],
)
def test_a_position_is_left_when_its_time_is_up(fill_at: str, candles: int, order: int, fill: int) -> None:
    config = settings({"exits.time_candles": candles, "broker.fill_at": fill_at})
    _, outbox = trade(config, flat(range(1, 8), 100.0), [wish(1, "long", 100.0, 95.0)])
    assert fields(outbox["orders"], "ts", "leg", "type", "quantity", "reason")[1:] == [
        (order, "time", "market", "1", f"held for {candles} candles")
    ]
    assert fields(outbox["fills"], "ts", "leg")[1:] == [(fill, "time")]
    assert outbox["positions"][-1].exit_leg == "time"


def test_a_hole_does_not_lengthen_the_time() -> None:
    _, outbox = trade(settings({"exits.time_candles": 3}), flat((1, 2, 9, 10), 100.0), [wish(1, "long", 100.0, 95.0)])
    assert fields(outbox["fills"], "ts", "leg") == [(2, "entry"), (10, "time")]


def test_a_stop_in_the_last_candle_comes_before_the_end_of_the_time() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 94, 96), *flat((4,), 96.0)]
    _, outbox = trade(settings({"exits.time_candles": 2}), rows, [wish(1, "long", 100.0, 95.0)])
    assert fields(outbox["fills"], "ts", "leg") == [(2, "entry"), (3, "stop")]


def test_a_wish_to_leave_at_the_end_of_the_time_is_no_second_order_and_one_to_stay_is_an_entry() -> None:
    config = settings({"exits.time_candles": 2})
    wishes = [wish(1, "long", 100.0, 95.0), wish(3, "flat", 100.0)]
    _, outbox = trade(config, flat(range(1, 6), 100.0), wishes)
    assert fields(outbox["fills"], "ts", "leg") == [(2, "entry"), (4, "time")]
    wishes[1] = wish(3, "long", 100.0, 95.0)
    _, outbox = trade(config, flat(range(1, 5), 100.0), wishes)
    assert fields(outbox["fills"], "ts", "leg") == [(2, "entry"), (4, "time"), (4, "entry")]


# -- all of it ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", range(1, 7))
@pytest.mark.parametrize(("candles", "leg"), [(4, "time"), (9, "stop")])
def test_an_account_that_was_put_back_goes_on_as_before(stop: int, candles: int, leg: str) -> None:
    exits = {"trail": "atr", "trail_at": 1, "break_even_at": 0.5, "time_candles": candles}
    ladder = [{"share_pct": 50, "at": 1}]
    config = settings({"exits": {**exits, "ladder": ladder}, "risk.atr_period": 1, "risk.quantity": "4"})
    rows = rows_of(1, [*RISING, (104, 104, 102.5, 103)])
    wishes = [wish(2, "long", 100.0, 95.0)]
    _, whole = trade(config, rows, wishes)
    assert [row.leg for row in whole["fills"]] == ["entry", "target", leg]
    account, outbox = Account(config), new_outbox()
    first = block(rows[:stop], [one for one in wishes if stop > 1])
    account.fold(first, first.signals, outbox)
    again = Account(config)
    again.restore(pickle.loads(pickle.dumps(account.snapshot())))
    rest = block(rows[stop:], [one for one in wishes if stop <= 1])
    again.fold(rest, rest.signals, outbox)
    assert wired(outbox) == wired(whole)
