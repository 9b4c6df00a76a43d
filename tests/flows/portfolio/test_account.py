from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid5

import msgspec

from flows.portfolio.gates import GATES
from schemas.ids import NAMESPACE
from tests.flows.portfolio.stories import (
    BTC,
    ETH,
    Row,
    at,
    checked,
    fields,
    fills,
    flat,
    settings,
    trade,
    wish,
)

FEES = {"broker.fee_pct": 0.1}


def named(*facts: str | int) -> str:
    """The id that these facts must give."""
    return str(uuid5(NAMESPACE, "|".join(map(str, facts))))


# -- one round trip, every record of it in full ----------------------------------------------------------------------


def test_a_long_that_reaches_its_target_leaves_exactly_these_records() -> None:
    entry = wish(1, "long", 100.0, 95.0, 110.0)
    rows = [*flat((1,), 100.0), Row(2, 101, 103, 100, 102), Row(3, 103, 111, 102, 108)]
    _, outbox = trade(settings({**FEES, "run.equity_every": "1m"}), rows, [entry])
    position = named("main", "a", BTC, at(1), "entry")
    target = named("main", "a", BTC, at(3), "target")
    whose = {"portfolio": "main", "strategy": "a", "symbol": BTC}
    orders = [msgspec.structs.asdict(row) for row in outbox["orders"]]
    assert list(orders[0].pop("checks")) == [gate.name for gate in GATES if gate.wanted(settings())]
    assert orders[1].pop("checks") == {"reduces": {"held": 1.0}}
    assert orders == [
        {
            **whose,
            "id": position,
            "ts": at(1),
            "leg": "entry",
            "side": "buy",
            "type": "market",
            "quantity": 1,
            "price": None,
            "stop": 95,
            "target": 110,
            "reduce_only": False,
            "position_id": position,
            "signal_id": entry.id,
            "reason": "long because the story says so",
            "tranches": [],
        },
        {
            **whose,
            "id": target,
            "ts": at(3),
            "leg": "target",
            "side": "sell",
            "type": "limit",
            "quantity": 1,
            "price": 110,
            "stop": None,
            "target": None,
            "reduce_only": True,
            "position_id": position,
            "signal_id": None,
            "reason": "target of the position was reached",
            "tranches": [],
        },
    ]
    common = {**whose, "position_id": position, "quantity": 1}
    assert [msgspec.structs.asdict(row) for row in outbox["fills"]] == [
        {
            **common,
            "id": f"{position}:1",
            "order_id": position,
            "ts": at(2),
            "candle_ts": at(1),
            "leg": "entry",
            "side": "buy",
            "price": 101,
            "fee": Decimal("0.101"),
        },
        {
            **common,
            "id": f"{target}:1",
            "order_id": target,
            "ts": at(3),
            "candle_ts": at(2),
            "leg": "target",
            "side": "sell",
            "price": 110,
            "fee": Decimal("0.11"),
        },
    ]
    held = {**whose, "id": position, "mode": "live", "side": "long", "quantity": 1, "stop": 95, "target": 110}
    held |= {"entry_price": 101, "entry_ts": at(1)}
    left = {"exit_price": None, "exit_ts": None, "exit_leg": None}
    assert [msgspec.structs.asdict(row) for row in outbox["positions"]] == [
        {**held, **left, "ts": at(2), "status": "open", "realised_pnl": Decimal("-0.101"), "fees": Decimal("0.101")},
        {
            **held,
            "ts": at(3),
            "status": "closed",
            "exit_price": 110,
            "exit_ts": at(2),
            "exit_leg": "target",
            "realised_pnl": Decimal("8.789"),
            "fees": Decimal("0.211"),
        },
    ]
    assert fields(outbox["equity"], "ts", "equity", "cash", "gross_exposure", "exposed") == [
        (1, 10_000.0, 10_000.0, 0.0, 0),
        (2, 10_000.899, 9_898.899, 102.0, 1),
    ]
    assert set(outbox) == {"orders", "fills", "positions", "equity"}


def test_ids_are_version_5_and_name_each_leg_of_each_decision_apart() -> None:
    rows = [*flat((1, 2, 3), 100.0), Row(4, 100, 101, 94, 95), *flat((5, 6, 7), 95.0)]
    wishes = [
        wish(1, "long", 100.0, 90.0),
        wish(2, "short", 100.0, 104.0),
        wish(3, "long", 100.0, 95.0),
        wish(4, "flat", 95.0),
        wish(5, "long", 95.0),
    ]
    _, outbox = trade(settings({"portfolio.name": "second"}), rows, wishes)
    legs = [(1, "entry"), (2, "exit"), (2, "entry"), (3, "exit"), (3, "entry"), (4, "stop")]
    assert [row.id for row in outbox["orders"]] == [named("second", "a", BTC, at(when), leg) for when, leg in legs]
    assert [row.id for row in outbox["rejections"]] == [named("second", "a", BTC, at(5), "rejection")]
    ids = [row.id for topic in ("orders", "fills", "rejections") for row in outbox[topic]]
    assert len(ids) == len(set(ids))
    assert {UUID(row.id).version for row in outbox["orders"]} == {5}
    assert [row.position_id for row in outbox["orders"]] == [outbox["orders"][n].id for n in (0, 0, 2, 2, 4, 4)]


# -- small stories ------------------------------------------------------------------------------------------------


def test_a_stop_out_costs_the_distance_slippage_and_both_fees() -> None:
    rules = {**FEES, "broker.slippage_pct": 1.0, "instruments.default.tick": "0.1"}
    rows = [*flat((1, 2), 100.0), Row(3, 99, 99.5, 93, 94)]
    account, outbox = trade(settings(rules), rows, [wish(1, "long", 100.0, 95.0)])
    assert fills(outbox) == [
        (2, "a", "entry", "buy", "1", "101", "0.10100000"),
        (3, "a", "stop", "sell", "1", "94", "0.09400000"),
    ]
    assert fields(outbox["positions"], "ts", "status", "realised_pnl", "fees")[1] == (
        3,
        "closed",
        "-7.19500000",
        "0.19500000",
    )
    assert account.book.cash == Decimal("9992.805")


def test_a_short_is_the_mirror_image() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 101, 89, 92)]
    account, outbox = trade(settings(FEES), rows, [wish(1, "short", 100.0, 105.0, 90.0)])
    assert fills(outbox) == [
        (2, "a", "entry", "sell", "1", "100", "0.10000000"),
        (3, "a", "target", "buy", "1", "90", "0.09000000"),
    ]
    assert account.book.cash == Decimal("10009.81")


def test_a_reversal_is_two_orders_at_one_open_the_exit_first() -> None:
    rows = [*flat((1, 2, 3), 100.0), Row(4, 103, 104, 102, 103)]
    wishes = [wish(1, "long", 100.0, 95.0), wish(3, "short", 100.0, 108.0)]
    account, outbox = trade(settings(), rows, wishes)
    assert fields(outbox["orders"], "ts", "leg", "side", "quantity", "reduce_only") == [
        (1, "entry", "buy", "1", False),
        (3, "exit", "sell", "1", True),
        (3, "entry", "sell", "1", False),
    ]
    assert [row[:4] + row[5:6] for row in fills(outbox)][1:] == [
        (4, "a", "exit", "sell", "103"),
        (4, "a", "entry", "sell", "103"),
    ]
    assert fields(outbox["positions"], "ts", "side", "status", "realised_pnl") == [
        (2, "long", "open", "0E-8"),
        (4, "long", "closed", "3.00000000"),
        (4, "short", "open", "0E-8"),
    ]
    assert account.state()["counts"] == {"orders": 3, "fills": 3, "rejections": 0, "positions_closed": 1}


def test_in_a_reversal_the_exit_makes_room_for_the_entry() -> None:
    rules = {
        "risk.max_open_positions": 1,
        "risk.max_gross_exposure_pct": 1.0,  # of 10,000: the one unit at 100
        "risk.over_cap": "refuse",
    }
    wishes = [wish(1, "long", 100.0, 95.0), wish(3, "short", 100.0, 108.0)]
    _, outbox = trade(settings(rules), flat((1, 2, 3, 4), 100.0), wishes)
    assert [row[2] for row in fills(outbox)] == ["entry", "exit", "entry"]
    assert checked(outbox["orders"][2])["duplicate_intent"] == {"held": 0}
    assert checked(outbox["orders"][2])["open_positions"] == {"open": 0, "most": 1}
    assert checked(outbox["orders"][2])["gross_exposure"] == {"gross": 0.0, "notional": 100.0, "most": 100.0}


def test_where_the_entry_of_a_reversal_is_refused_the_exit_still_goes() -> None:
    wishes = [wish(1, "long", 100.0, 95.0), wish(3, "short", 100.0, 99.0)]
    account, outbox = trade(settings(), flat((1, 2, 3, 4), 100.0), wishes)
    assert fields(outbox["rejections"], "ts", "side", "gate", "code", "message") == [
        (3, "sell", "stop", "STOP_WRONG_SIDE", "STOP_WRONG_SIDE: price=100 stop=99")
    ]
    assert [row[2] for row in fills(outbox)] == ["entry", "exit"]
    assert account.book.holdings == {}


def test_a_wish_for_what_is_held_is_refused_and_changes_nothing() -> None:
    wishes = [wish(1, "long", 100.0, 95.0), wish(3, "long", 100.0, 97.0, 103.0)]
    account, outbox = trade(settings(), flat((1, 2, 3, 4), 100.0), wishes)
    assert [row.message for row in outbox["rejections"]] == ["INTENT_DUPLICATE: held=long"]
    assert len(outbox["orders"]) == 1
    assert account.state()["positions"][0].stop == 95


def test_a_wish_to_be_flat_without_a_position_is_no_record() -> None:
    _, outbox = trade(settings(), flat((1, 2), 100.0), [wish(1, "flat", 100.0)])
    assert set(outbox) <= {"equity"}


def test_two_strategies_hold_one_symbol_long_and_short_at_once() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 106, 99, 104), *flat((4,), 104.0)]
    wishes = [
        wish(1, "long", 100.0, 95.0, strategy="a"),
        wish(1, "short", 100.0, 110.0, strategy="b"),
        wish(3, "flat", 104.0, strategy="a"),
    ]
    account, outbox = trade(settings({"run.equity_every": "1m"}), rows, wishes)
    assert [row[:4] for row in fills(outbox)] == [
        (2, "a", "entry", "buy"),
        (2, "b", "entry", "sell"),
        (4, "a", "exit", "sell"),
    ]
    # What one wins the other loses, but both are exposure.
    assert fields(outbox["equity"], "ts", "equity", "gross_exposure", "net_exposure")[1:] == [
        (2, 10_000.0, 200.0, 0.0),
        (3, 10_000.0, 208.0, 0.0),
    ]
    assert [(row.strategy, row.side) for row in account.state()["positions"]] == [("b", "short")]


def test_the_cap_on_positions_counts_those_on_their_way_by_symbol_and_strategy() -> None:
    rows = [*flat((1, 2), 100.0, BTC), *flat((1, 2), 10.0, ETH)]
    wishes = [
        wish(1, "long", 10.0, 9.0, symbol=ETH, strategy="a"),
        wish(1, "long", 100.0, 95.0, symbol=BTC, strategy="b"),
        wish(1, "long", 100.0, 95.0, symbol=BTC, strategy="a"),
    ]
    _, outbox = trade(settings({"risk.max_open_positions": 2}), rows, wishes)
    assert fields(outbox["orders"], "symbol", "strategy") == [(BTC, "a"), (BTC, "b")]
    assert fields(outbox["rejections"], "symbol", "message") == [(ETH, "POSITIONS_TOO_MANY: open=2 most=2")]


def test_at_the_close_an_order_fills_in_the_instant_of_its_signal() -> None:
    rows = [Row(1, 99, 101, 98, 100), Row(2, 105, 106, 104, 105), Row(3, 107, 108, 106, 107)]
    wishes = [wish(1, "long", 100.0, 95.0), wish(2, "short", 105.0, 110.0)]
    account, outbox = trade(settings({**FEES, "broker.fill_at": "close", "run.equity_every": "1m"}), rows, wishes)
    assert fields(outbox["fills"], "ts", "candle_ts", "leg", "price", "fee") == [
        (1, 0, "entry", "100", "0.10000000"),
        (2, 1, "exit", "105", "0.10500000"),
        (2, 1, "entry", "105", "0.10500000"),
    ]
    assert fields(outbox["equity"], "ts", "equity", "exposed") == [(1, 9_999.9, 1), (2, 10_004.69, 1)]
    assert account.state()["equity"] == 10_002.69


def test_after_a_hole_everything_fills_at_the_open_of_the_candle_that_comes() -> None:
    rows = [*flat((1, 2), 100.0), Row(500, 80, 82, 79, 81), Row(900, 90, 91, 89, 90)]
    wishes = [wish(1, "long", 100.0, 95.0, 110.0), wish(500, "long", 81.0, 75.0)]
    _, outbox = trade(settings(), rows, wishes)
    assert fields(outbox["fills"], "ts", "candle_ts", "leg", "price") == [
        (2, 1, "entry", "100"),
        (500, 499, "stop", "80"),
        (900, 899, "entry", "90"),
    ]


def test_a_loss_that_takes_everything_ends_trading_and_not_the_account() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 25, 25, 25, 25), *flat((4,), 25.0)]
    wishes = [wish(1, "long", 100.0, 50.0), wish(3, "long", 25.0, 20.0)]
    account, outbox = trade(settings({"portfolio.cash": "60"}), rows, wishes)
    assert account.book.cash == -15
    assert [row.message for row in outbox["rejections"]] == ["EQUITY_EXHAUSTED: equity=-15"]
    assert account.state()["drawdown"]["max_pct"] == 125.0


# -- what an account remembers ----------------------------------------------------------------------------------------


def test_an_exit_starts_the_cooldown_of_its_strategy_and_symbol_alone() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 94, 96), *flat((4, 5), 96.0), *flat((4, 5), 10.0, ETH)]
    wishes = [
        wish(1, "long", 100.0, 95.0),
        wish(4, "long", 96.0, 90.0),
        wish(4, "long", 96.0, 90.0, strategy="b"),
        wish(4, "long", 10.0, 9.0, symbol=ETH),
        wish(5, "long", 96.0, 90.0),
    ]
    _, outbox = trade(settings({"risk.cooldown": "2m"}), rows, wishes)
    assert fields(outbox["rejections"], "ts", "symbol", "strategy", "message") == [
        (4, BTC, "a", "COOLDOWN_ACTIVE: since_exit_ms=60000 least_ms=120000")
    ]
    entries = [row for row in outbox["orders"] if row.leg == "entry"]
    assert fields(entries, "ts", "symbol", "strategy") == [(1, BTC, "a"), (4, BTC, "b"), (4, ETH, "a"), (5, BTC, "a")]


def test_the_daily_loss_counts_open_positions_and_is_forgotten_at_midnight() -> None:
    rows = [*flat((1438, 1439), 100.0), *flat((1440, 1441), 98.0)]
    wishes = [
        wish(1438, "long", 100.0, 90.0),
        wish(1440, "long", 98.0, 90.0, strategy="b"),
        wish(1441, "long", 98.0, 90.0, strategy="b"),
    ]
    _, outbox = trade(settings({"risk.quantity": "50", "risk.max_daily_loss_pct": 1.0}), rows, wishes)
    assert fields(outbox["rejections"], "ts", "message") == [(1440, "LOSS_DAILY: lost=100 most=100")]
    assert [row.ts for row in outbox["orders"]] == [at(1438), at(1441)]
    assert checked(outbox["orders"][1])["daily_loss"] == {"lost": 0.0, "most": 99.0}
