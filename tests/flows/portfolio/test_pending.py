"""Entries that wait for a price: where they are filled, what guards them in that candle, and how they end."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from flows.outbox import new_outbox
from flows.portfolio.account import Account
from schemas.config.root import Config
from tests.flows.portfolio.stories import BTC, ETH, Row, block, checked, fields, flat, settings, trade, wired, wish

Candle = tuple[float, float, float, float]


def config(kind: str, **changes: Any) -> Config:
    """An order one percent from the price, for three candles; slippage 1 %, tick 0.5."""
    rules = {"entries": {"type": kind, "at": 1.0, "candles": 3}, "broker.slippage_pct": 1.0}
    return settings({**rules, "instruments.default.tick": "0.5", **changes})


def entered(kind: str, side: int, candle: Candle, stop: float = 95.0, target: float = 110.0) -> list[Any]:
    """(leg, price) of what fills in the candle after a wish at 100; of a short mirrored about 100."""
    open_, high, low, close = (100 + side * (price - 100) for price in candle)
    rows = [*flat((1,), 100.0), Row(2, open_, max(high, low), min(high, low), close)]
    levels = 100 + side * (stop - 100), 100 + side * (target - 100)
    rules = config(kind, **{"broker.slippage_pct": 0.0})
    _, outbox = trade(rules, rows, [wish(1, "long" if side > 0 else "short", 100.0, *levels)])
    return [(leg, 100 + side * (float(price) - 100)) for leg, price in fields(outbox["fills"], "leg", "price")]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("kind", "candle", "fills"),
    [
        ("limit", (100, 101, 99.01, 100), []),
        ("limit", (100, 101, 99, 100), [("entry", 99)]),
        ("limit", (98, 101, 97, 100), [("entry", 98)]),
        ("stop", (100, 100.99, 99, 100), []),
        ("stop", (100, 101, 99, 100), [("entry", 101)]),
        ("stop", (102, 103, 101, 102), [("entry", 102)]),
        # What of the candle came after the entry.
        ("limit", (100, 101, 95, 97), [("entry", 99), ("stop", 95)]),
        ("limit", (100, 111, 98, 109), [("entry", 99)]),
        ("limit", (100, 111, 98, 110), [("entry", 99), ("target", 110)]),
        ("limit", (98, 111, 97, 100), [("entry", 98), ("target", 110)]),
        ("stop", (96, 102, 95, 101), [("entry", 101), ("stop", 95)]),
        ("stop", (94, 102, 93, 101), [("entry", 101), ("stop", 95)]),
        ("stop", (100, 110, 99, 103), [("entry", 101), ("target", 110)]),
        ("stop", (100, 110, 95, 103), [("entry", 101), ("stop", 95)]),
    ],
    ids=[
        "limit not reached",
        "limit touched",
        "limit, opened beyond it",
        "stop not reached",
        "stop touched",
        "stop, opened beyond it",
        "limit, and further to the stop",
        "limit, the high may have been before it",
        "limit, but the close was after it",
        "limit at the open: all of the candle is after it",
        "stop, the low may have been after it",
        "stop, the open was before it",
        "stop, and on to the target",
        "stop, with both: the stop comes first",
    ],
)
def test_where_an_entry_is_filled_and_what_follows_in_its_candle(
    side: int, kind: str, candle: Candle, fills: list[Any]
) -> None:
    assert entered(kind, side, candle) == fills


@pytest.mark.parametrize(
    ("kind", "side", "price", "fill"),
    [
        ("limit", "long", "99", "99"),
        ("limit", "short", "101", "101"),
        ("stop", "long", "101", "102.5"),
        ("stop", "short", "99", "98"),
    ],
)
def test_the_order_has_its_price_and_only_a_stop_order_slips(kind: str, side: Any, price: str, fill: str) -> None:
    rows = [*flat((1,), 100.0), Row(2, 100, 102, 98, 100)]
    _, outbox = trade(config(kind), rows, [wish(1, side, 100.0, 80.0 if side == "long" else 120.0)])
    assert fields(outbox["orders"], "ts", "leg", "type", "price", "reduce_only") == [(1, "entry", kind, price, False)]
    assert fields(outbox["fills"], "ts", "candle_ts", "leg", "price") == [(2, 1, "entry", fill)]


def test_the_price_is_on_the_tick_away_from_that_of_the_signal() -> None:
    found = {}
    for kind in ("limit", "stop"):
        for side in ("long", "short"):
            rules = config(kind, **{"entries.at": 0.7})
            _, outbox = trade(rules, flat((1,), 100.0), [wish(1, side, 100.0, 80.0 if side == "long" else 120.0)])
            found[kind, side] = float(outbox["orders"][0].price)
    assert found == {
        ("limit", "long"): 99.0,
        ("limit", "short"): 101.0,
        ("stop", "long"): 101.0,
        ("stop", "short"): 99.0,
    }


def test_sizes_and_gates_go_by_the_price_of_the_order() -> None:
    rules = {"risk.sizing": "risk", "risk.per_trade_pct": 1.0, "exits.target": "reward", "exits.target_at": 2}
    _, outbox = trade(config("limit", **rules), flat((1,), 100.0), [wish(1, "long", 100.0, 95.0)])
    # 100 at risk over 99 - 95; the target is two of that above 99.
    assert fields(outbox["orders"], "quantity", "stop", "target") == [("25", "95", "107")]
    _, outbox = trade(config("limit"), flat((1,), 100.0), [wish(1, "long", 100.0, 99.0)])
    assert [row.message for row in outbox["rejections"]] == ["STOP_WRONG_SIDE: price=99 stop=99"]


def test_in_average_true_ranges() -> None:
    rules = {"entries.by": "atr", "entries.at": 1.5, "risk.atr_period": 1}
    rows = [Row(1, 100, 101, 99, 100), Row(2, 100, 101, 99, 100)]
    wishes = [wish(1, "long", 100.0, 90.0), wish(2, "long", 100.0, 90.0)]
    _, outbox = trade(config("limit", **rules), rows, wishes)
    assert [row.message for row in outbox["rejections"]] == ["ATR_UNKNOWN: price=100"]
    assert fields(outbox["orders"], "ts", "price") == [(2, "97")]


@pytest.mark.parametrize("fill_at", ["next_open", "close"])
def test_it_is_withdrawn_when_its_candles_have_closed(fill_at: str) -> None:
    rows = [*flat((1, 2, 3, 4), 100.0), Row(5, 99, 99, 99, 99)]
    account, outbox = trade(config("limit", **{"broker.fill_at": fill_at}), rows, [wish(1, "long", 100.0, 95.0)])
    assert outbox["fills"] == []
    (alert,) = outbox["alerts"]
    assert (alert.ts, alert.level, alert.code, alert.symbol) == (rows_ts(4), "info", "ENTRY_EXPIRED", BTC)
    order = outbox["orders"][0]
    figures = {"order_id": order.id, "strategy": "a", "side": "buy", "candles": 3, "quantity": "1"}
    assert alert.figures == figures
    assert (account.desk.committed, account.desk.coming, account.broker.pending) == (0.0, 0, {})


def rows_ts(minute: int) -> int:
    return int(block(flat((minute,), 1.0)).ts[0])


def test_the_last_candle_may_still_fill_it() -> None:
    rows = [*flat((1, 2, 3), 100.0), Row(4, 100, 100, 99, 100)]
    _, outbox = trade(config("limit"), rows, [wish(1, "long", 100.0, 95.0)])
    assert fields(outbox["fills"], "ts", "leg") == [(4, "entry")]
    assert outbox["alerts"] == []


@pytest.mark.parametrize(
    ("second", "orders", "alerts", "refused"),
    [
        ("flat", 1, ["ENTRY_WITHDRAWN"], []),
        ("short", 2, ["ENTRY_WITHDRAWN"], []),
        ("long", 1, [], ["INTENT_DUPLICATE: held=long"]),
    ],
)
def test_the_next_wish_of_its_strategy(second: Any, orders: int, alerts: list[str], refused: list[str]) -> None:
    stop = {"flat": None, "short": 105.0, "long": 95.0}[second]
    wishes = [wish(1, "long", 100.0, 95.0), wish(2, second, 100.0, stop), wish(2, "flat", 100.0, strategy="b")]
    _, outbox = trade(config("limit"), flat((1, 2, 3), 100.0), wishes)
    assert len(outbox["orders"]) == orders
    assert [row.code for row in outbox["alerts"]] == alerts
    assert [row.message for row in outbox["rejections"]] == refused


def test_what_waits_counts_as_if_it_were_filled() -> None:
    rules = {"risk.max_open_positions": 1, "risk.max_symbol_exposure_pct": 1.5}
    rows = [*flat((1, 2), 100.0), *flat((1, 2), 100.0, ETH)]
    wishes = [wish(1, "long", 100.0, 95.0), wish(1, "long", 100.0, 95.0, symbol=ETH)]
    _, outbox = trade(config("limit", **rules), rows, wishes)
    assert [row.message for row in outbox["rejections"]] == ["POSITIONS_TOO_MANY: open=1 most=1"]
    wishes[1] = wish(1, "long", 100.0, 95.0, strategy="b")
    rules["risk.max_open_positions"] = 2
    _, outbox = trade(config("limit", **rules), rows, wishes)
    assert [checked(order)["symbol_exposure"]["held"] for order in outbox["orders"]] == [0.0, 99.0]


def test_the_ladder_the_entry_and_the_time_of_a_position_begin_at_its_fill() -> None:
    exits = {"ladder": [{"share_pct": 50, "at": 1}], "break_even_at": 1, "time_candles": 2}
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 99, 100), Row(4, 100, 103, 100, 103), *flat((5,), 103.0)]
    rules = config("limit", exits=exits, **{"risk.quantity": "2", "broker.slippage_pct": 0.0})
    _, outbox = trade(rules, rows, [wish(1, "long", 100.0, 95.0)])
    assert fields(outbox["fills"], "ts", "leg", "quantity", "price") == [
        (3, "entry", "2", "99"),
        (4, "target", "1", "103"),
        (5, "time", "1", "103"),
    ]
    assert [str(row.stop) for row in outbox["positions"]] == ["95", "95", "99", "99"]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("kind", "candle", "stops"),
    [
        ("limit", (108, 110, 98, 100), [76.0, 96.0]),  # 100 less two ranges of 12: the high may have been before it
        ("limit", (100, 110, 98.5, 98.75), [76.0, 93.5]),  # 99, its own price, less two of 11.5
        ("limit", (99, 110, 98, 100), [86.0, 102.0]),  # filled at the open: the high of 110 came after it
        ("stop", (100, 110, 98, 100), [86.0, 102.0]),  # what is above its price of 101 came after it
    ],
    ids=["inside", "inside, closed below it", "at the open", "stop"],
)
def test_the_best_price_that_a_chandelier_follows_is_one_after_the_entry(
    side: int, kind: str, candle: Candle, stops: list[float]
) -> None:
    """The candle after that of the entry goes up to 104: all of it counts."""
    exits, found = {"trail": "chandelier", "trail_at": 2}, []
    rules = config(kind, **{"broker.slippage_pct": 0.0, "risk.atr_period": 1, "exits": exits})
    rows = flat((1, 2), 100.0)
    for minute, one in enumerate((candle, (100.0, 104.0, 100.0, 100.0)), start=3):
        open_, high, low, close = (100 + side * (price - 100) for price in one)
        rows.append(Row(minute, open_, max(high, low), min(high, low), close))
        account, _ = trade(rules, rows, [wish(2, "long" if side > 0 else "short", 100.0, 100 - 50 * side)])
        (position,) = account.state()["positions"]
        found.append(100 + side * (float(position.stop) - 100))
    assert found == stops


@pytest.mark.parametrize("stop", range(1, 5))
def test_an_account_that_was_put_back_goes_on_as_before(stop: int) -> None:
    rows = [*flat((1, 2, 3), 100.0), Row(4, 100, 101, 99, 100), Row(5, 100, 111, 99, 100)]
    wishes = [wish(1, "long", 100.0, 95.0, 110.0), wish(1, "long", 100.0, 94.0, strategy="b")]
    _, whole = trade(config("limit"), rows, wishes)
    assert [row.leg for row in whole["fills"]] == ["entry", "entry", "target"]
    account, outbox = Account(config("limit")), new_outbox()
    first = block(rows[:stop], wishes)
    account.fold(first, first.signals, outbox)
    again = Account(config("limit"))
    again.restore(pickle.loads(pickle.dumps(account.snapshot())))
    again.fold(block(rows[stop:]), (), outbox)
    assert wired(outbox) == wired(whole)
