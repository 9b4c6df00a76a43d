from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from flows.portfolio.broker import PaperBroker
from schemas.config.broker import BrokerConfig
from schemas.config.instruments import InstrumentsConfig
from tests.flows.portfolio.stories import BTC, ETH, Row, fields, flat, settings, trade, wish


def broker(slippage: float = 0.0, tick: str = "0.1") -> PaperBroker:
    instruments = InstrumentsConfig.model_validate({"default": {"tick": tick}})
    return PaperBroker(BrokerConfig(slippage_pct=slippage), instruments)


# -- market orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "slippage", "tick", "bought", "sold"),
    [
        (100.0, 0.0, "0.1", "100", "100"),
        (100.0, 0.5, "0.1", "100.5", "99.5"),
        (100.03, 0.0, "0.1", "100.1", "100"),
        (100.0, 0.02, "0.5", "100.5", "99.5"),
        (46385.0, 0.01, "0.5", "46390", "46380"),
        (0.00001234, 1.0, "0.00000001", "0.00001247", "0.00001221"),
    ],
)
def test_a_market_order_pays_slippage_and_then_the_next_tick(
    price: float, slippage: float, tick: str, bought: str, sold: str
) -> None:
    paper = broker(slippage, tick)
    assert paper.market_price(BTC, price, buy=True) == Decimal(bought)
    assert paper.market_price(BTC, price, buy=False) == Decimal(sold)


def test_each_symbol_has_its_own_tick() -> None:
    instruments = InstrumentsConfig.model_validate({"default": {"tick": "1"}, "symbols": {ETH: {"tick": "0.05"}}})
    paper = PaperBroker(BrokerConfig(), instruments)
    assert paper.market_price(BTC, 100.02, buy=True) == 101
    assert paper.market_price(ETH, 100.02, buy=True) == Decimal("100.05")


# -- the bracket of an open position ----------------------------------------------------------------------------------
# A long from 100 with stop 95 and target 110, slippage 1 %, tick 0.5; the short is its mirror image about 100.

LONG: list[tuple[str, tuple[float, float, float, float], tuple[str, str] | None]] = [
    ("nothing is reached", (100, 109.99, 95.01, 100), None),
    ("low exactly at the stop", (100, 101, 95, 100), ("stop", "94")),
    ("stop inside the candle", (100, 101, 94, 96), ("stop", "94")),
    ("open exactly at the stop", (95, 99, 94, 96), ("stop", "94")),
    ("gap through the stop", (90, 99, 88, 96), ("stop", "89")),
    ("gap through the stop, and the target is reached later", (90, 112, 88, 96), ("stop", "89")),
    ("high exactly at the target", (100, 110, 96, 101), ("target", "110")),
    ("target inside the candle", (100, 111, 96, 101), ("target", "110")),
    ("open exactly at the target", (110, 111, 109, 110), ("target", "110")),
    ("gap over the target", (112.3, 113, 109, 111), ("target", "112")),
    ("both inside: the stop comes first", (100, 111, 94, 100), ("stop", "94")),
    ("gap over the target, and the stop is reached later", (112.3, 113, 94, 96), ("target", "112")),
]


def bracket_exits(side: int, candle: tuple[float, float, float, float], target: bool = True) -> list[tuple[Any, ...]]:
    """What a third candle sets off: (order's type, its trigger price, leg, fill's price)."""
    open_, high, low, close = candle
    if side < 0:  # mirrored about 100
        open_, high, low, close = 200 - open_, 200 - low, 200 - high, 200 - close
    rules = {"broker.slippage_pct": 1.0, "instruments.default.tick": "0.5"}
    entry = wish(1, "long" if side > 0 else "short", 100.0, 100.0 - 5 * side, 100.0 + 10 * side if target else None)
    rows = [*flat((1, 2), 100.0), Row(3, open_, high, low, close)]
    _, outbox = trade(settings(rules), rows, [entry])
    exits = outbox["orders"][1:]
    prices = {row.order_id: str(row.price) for row in outbox["fills"]}
    return [(order.type, str(order.price), order.leg, prices[order.id]) for order in exits]


@pytest.mark.parametrize(("candle", "found"), [row[1:] for row in LONG], ids=[row[0] for row in LONG])
def test_a_long_is_guarded(candle: tuple[float, float, float, float], found: tuple[str, str] | None) -> None:
    kinds = {"stop": ("stop", "95"), "target": ("limit", "110")}
    assert bracket_exits(1, candle) == ([] if found is None else [(*kinds[found[0]], *found)])


# Slippage is a share of the price, so the mirrored stop fills are not the mirror images of the long's.
SHORT_STOPS = {"94": "106.5", "89": "111.5"}
SHORT_TARGETS = {"110": "90", "112": "88"}


@pytest.mark.parametrize(("candle", "found"), [row[1:] for row in LONG], ids=[row[0] for row in LONG])
def test_a_short_is_guarded_likewise(candle: tuple[float, float, float, float], found: tuple[str, str] | None) -> None:
    kinds = {"stop": ("stop", "105"), "target": ("limit", "90")}
    if found is None:
        assert bracket_exits(-1, candle) == []
    else:
        price = (SHORT_STOPS if found[0] == "stop" else SHORT_TARGETS)[found[1]]
        assert bracket_exits(-1, candle) == [(*kinds[found[0]], found[0], price)]


@pytest.mark.parametrize("side", [1, -1])
def test_without_a_target_only_the_stop_guards(side: int) -> None:
    assert bracket_exits(side, (150, 199, 96, 150), target=False) == []
    assert [found[2] for found in bracket_exits(side, (150, 199, 95, 150), target=False)] == ["stop"]


@pytest.mark.parametrize(
    ("candle", "exits"),
    [
        (Row(2, 100, 101, 94, 100), [(2, "stop", "95")]),
        (Row(2, 100, 112, 99, 100), [(2, "target", "110")]),
        (Row(2, 100, 112, 94, 100), [(2, "stop", "95")]),
        (Row(2, 93, 99, 92, 95), [(2, "stop", "93")]),
        (Row(2, 113, 114, 112, 113), [(2, "target", "113")]),
        (Row(2, 100, 109, 96, 100), []),
    ],
    ids=["stop", "target", "both", "opens beyond the stop", "opens beyond the target", "neither"],
)
def test_a_position_is_guarded_in_the_very_candle_at_whose_open_it_was_entered(
    candle: Row, exits: list[tuple[int, str, str]]
) -> None:
    rows = [*flat((1,), 100.0), candle, *flat((3,), 100.0)]
    _, outbox = trade(settings(), rows, [wish(1, "long", 100.0, 95.0, 110.0)])
    entry, *rest = fields(outbox["fills"], "ts", "leg", "price")
    assert entry == (2, "entry", str(int(candle.open)))
    assert rest == exits


def test_a_position_entered_at_the_close_is_guarded_from_the_next_candle_on() -> None:
    rows = [Row(1, 100, 120, 80, 100), Row(2, 100, 101, 95, 100)]
    _, outbox = trade(settings({"broker.fill_at": "close"}), rows, [wish(1, "long", 100.0, 95.0, 110.0)])
    assert fields(outbox["fills"], "ts", "leg", "price") == [(1, "entry", "100"), (2, "stop", "95")]


def test_a_bracket_is_gone_with_its_position() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 101, 94, 96), Row(4, 96, 120, 80, 100)]
    _, outbox = trade(settings(), rows, [wish(1, "long", 100.0, 95.0, 110.0)])
    assert fields(outbox["fills"], "ts", "leg") == [(2, "entry"), (3, "stop")]


def test_a_waiting_exit_at_the_open_comes_before_the_bracket() -> None:
    rows = [*flat((1, 2, 3), 100.0), Row(4, 97, 120, 80, 100)]
    wishes = [wish(1, "long", 100.0, 95.0, 110.0), wish(3, "flat", 100.0)]
    _, outbox = trade(settings(), rows, wishes)
    assert fields(outbox["fills"], "ts", "leg", "price") == [(2, "entry", "100"), (4, "exit", "97")]


def test_one_candle_sets_off_the_brackets_of_several_strategies_by_name() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 111, 94, 100)]
    wishes = [
        wish(1, "short", 100.0, 105.0, strategy="c"),
        wish(1, "long", 100.0, 90.0, 110.0, strategy="b"),
        wish(1, "long", 100.0, 95.0, strategy="a"),
    ]
    _, outbox = trade(settings(), rows, wishes)
    assert fields(outbox["fills"], "ts", "strategy", "leg", "side", "price")[3:] == [
        (3, "a", "stop", "sell", "95"),
        (3, "b", "target", "sell", "110"),
        (3, "c", "stop", "buy", "105"),
    ]


def test_an_order_waits_for_the_next_candle_of_its_own_symbol() -> None:
    rows = [Row(1, 100, 100, 100, 100), *flat((1, 2, 3, 4), 10.0, ETH), Row(5, 103, 104, 102, 103)]
    _, outbox = trade(settings(), rows, [wish(1, "long", 100.0, 95.0)])
    assert fields(outbox["fills"], "ts", "leg", "price") == [(5, "entry", "103")]


@pytest.mark.parametrize(
    ("fill_at", "prices"), [("next_open", ["101.1", "98.4"]), ("close", ["100.6", "99.4"])], ids=str
)
def test_market_orders_fill_at_the_next_open_or_at_the_close(fill_at: str, prices: list[str]) -> None:
    rules = {"broker.fill_at": fill_at, "broker.slippage_pct": 0.5, "instruments.default.tick": "0.1"}
    rows = [Row(1, 99, 101, 99, 100.03), Row(2, 100.5, 101, 99, 99.95), Row(3, 98.9, 99.5, 98, 99)]
    _, outbox = trade(settings(rules), rows, [wish(1, "long", 100.03, 90.0), wish(2, "flat", 99.95)])
    assert [str(row.price) for row in outbox["fills"]] == prices
