from __future__ import annotations

import json
import pickle
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from flows.outbox import new_outbox
from flows.portfolio.account import Account
from flows.portfolio.book import Closed, Holding
from flows.portfolio.gates.base import Refusal
from flows.portfolio.ledger import Ledger
from schemas.export import json_schemas
from schemas.ids import event_id
from schemas.record import Mode
from schemas.topics import TOPICS
from schemas.wire import encode
from tests.flows.portfolio.stories import BTC, Row, at, block, fields, flat, settings, trade, wish

RULES = {"broker.fee_pct": 0.1, "run.equity_every": "2m"}
STORY = [*flat((1, 2), 100.0), Row(3, 100, 101, 94, 96), *flat((4, 5), 96.0), *flat((1441,), 97.0)]
WISHES = [wish(1, "long", 100.0, 95.0, 110.0), wish(4, "short", 96.0), wish(5, "short", 96.0, 99.0)]


def holding() -> Holding:
    return Holding(
        id="p",
        strategy="a",
        symbol=BTC,
        side=-1,
        quantity=Decimal(2),
        entry_price=Decimal(100),
        entry_value=Decimal(200),
        entry_ts=at(1),
        fees=Decimal("0.2"),
        stop=Decimal(105),
        target=Decimal(90),
    )


def test_every_record_is_one_that_its_topic_defines() -> None:
    _, outbox = trade(settings(RULES), STORY, WISHES)
    assert set(outbox) == {"orders", "fills", "positions", "rejections", "alerts", "equity", "metrics"}
    schemas = json_schemas()
    for topic, records in outbox.items():
        for record in records:
            defined = TOPICS[topic].record
            Draft202012Validator(schemas[defined.__name__]).validate(json.loads(encode(record)))
            model = defined.model_validate_json(encode(record))
            assert model.model_dump() == msgspec.structs.asdict(pickle.loads(pickle.dumps(record))), topic


def test_a_fill_is_numbered_within_its_order() -> None:
    _, outbox = trade(settings(RULES), STORY, WISHES)
    assert [row.id for row in outbox["fills"]] == [f"{order.id}:1" for order in outbox["orders"]]


def test_an_open_position_has_lost_its_entry_fee_and_a_closed_one_tells_the_round_trip() -> None:
    ledger, outbox = Ledger("main", "live", None), new_outbox()
    ledger.position(outbox, holding(), at(2), None)
    closed = Closed(Decimal(2), Decimal(90), at(7), "target", Decimal("0.38"), Decimal("19.62"))
    ledger.position(outbox, holding(), at(8), closed)
    opening, closing = (msgspec.structs.asdict(row) for row in outbox["positions"])
    facts = {
        "id": "p",
        "portfolio": "main",
        "strategy": "a",
        "symbol": BTC,
        "mode": "live",
        "side": "short",
        "quantity": 2,
        "entry_price": 100,
        "entry_ts": at(1),
        "stop": 105,
        "target": 90,
    }
    none = {"exit_price": None, "exit_ts": None, "exit_leg": None}
    before = {"status": "open", "ts": at(2), "realised_pnl": Decimal("-0.2"), "fees": Decimal("0.2")}
    after = {"status": "closed", "ts": at(8), "realised_pnl": Decimal("19.62"), "fees": Decimal("0.38")}
    assert opening == {**facts, **none, **before}
    assert closing == {**facts, "exit_price": 90, "exit_ts": at(7), "exit_leg": "target", **after}


def test_a_refusal_is_told_with_gate_code_and_figures() -> None:
    ledger, outbox = Ledger("main", "live", None), new_outbox()
    signal = wish(4, "short", 96.0)
    ledger.rejection(outbox, signal, "sell", "stop", Refusal("STOP_MISSING", {"price": 96.0}))
    assert msgspec.structs.asdict(outbox["rejections"][0]) == {
        "id": event_id("main", "a", BTC, at(4), "rejection"),
        "ts": at(4),
        "portfolio": "main",
        "strategy": "a",
        "symbol": BTC,
        "mode": "live",
        "side": "sell",
        "signal_id": signal.id,
        "gate": "stop",
        "code": "STOP_MISSING",
        "figures": {"price": 96.0},
        "message": "STOP_MISSING: price=96",
    }


@pytest.mark.parametrize(("mode", "strategy"), [("live", None), ("shadow", "a")])
def test_the_first_entry_of_a_strategy_without_a_stop_or_a_target_is_an_alert(mode: Mode, strategy: str | None) -> None:
    ledger, outbox = Ledger("main", mode, strategy), new_outbox()
    wanted = [
        (1, "a", "TARGET_MISSING"),
        (2, "a", "TARGET_MISSING"),
        (3, "a", "STOP_MISSING"),
        (4, "a", "LOT_TOO_SMALL"),
    ]
    for minute, name, code in [*wanted, (5, "manual", "TARGET_MISSING"), (6, "b", "TARGET_MISSING")]:
        ledger.rejection(
            outbox, wish(minute, "long", 96.0, strategy=name), "buy", "stop", Refusal(code, {"price": 96.0})
        )
        again = Ledger("main", mode, strategy)
        again.restore(ledger.snapshot())
        ledger = again
    told = fields(outbox["alerts"], "ts", "strategy", "code")
    assert told == [(1, "a", "TARGET_MISSING"), (3, "a", "STOP_MISSING"), (6, "b", "TARGET_MISSING")]
    assert msgspec.structs.asdict(outbox["alerts"][0]) == {
        "id": event_id("main", mode, "a", "TARGET_MISSING", at(1)),
        "ts": at(1),
        "level": "warning",
        "code": "TARGET_MISSING",
        "symbol": BTC,
        "strategy": "a",
        "message": "TARGET_MISSING: price=96 (told once; each refusal is on rejections)",
        "figures": {"price": 96.0},
    }


@pytest.mark.parametrize(("mode", "strategy"), [("live", None), ("shadow", "a")])
def test_the_metrics_of_a_day_are_totals_and_say_whose_they_are(mode: Mode, strategy: str | None) -> None:
    ledger, outbox = Ledger("main", mode, strategy), new_outbox()
    closed = Closed(Decimal(2), Decimal(90), at(7), "target", Decimal("0.38"), Decimal("19.62"))
    ledger.position(outbox, holding(), at(8), closed)
    ledger.rejection(outbox, wish(4, "short", 96.0), "sell", "stop", Refusal("STOP_MISSING", {}))
    ledger.day(outbox, at(1440), Decimal("10019.62"), 10019.62)
    assert {row.ts for row in outbox["metrics"]} == {at(1440)}
    labels = {"portfolio": "main", "mode": mode, "strategy": strategy or ""}
    assert all(row.labels == labels for row in outbox["metrics"])
    assert [(row.name, row.value) for row in outbox["metrics"]] == [
        ("orders_total", 0.0),
        ("fills_total", 0.0),
        ("rejections_total", 1.0),
        ("positions_closed_total", 1.0),
        ("realised_pnl", 19.62),
        ("fees_total", 0.0),
        ("cash", 10019.62),
        ("equity", 10019.62),
    ]


def test_equity_is_told_to_the_eighth_digit() -> None:
    ledger, outbox = Ledger("main", "live", None), new_outbox()
    row = [at(60), 100.1234567891, 99.0, 101.0, 40.1, 60.0, 1.987654321987, 7, 60]
    ledger.equity(outbox, np.array([row], np.float64))
    assert msgspec.structs.asdict(outbox["equity"][0]) == {
        "ts": at(60),
        "portfolio": "main",
        "mode": "live",
        "strategy": None,
        "equity": 100.12345679,
        "equity_low": 99.0,
        "equity_high": 101.0,
        "cash": 40.1,
        "gross_exposure": 60.0,
        "net_exposure": 60.02345679,
        "drawdown_pct": 1.98765432,
        "exposed": 7,
        "instants": 60,
    }


def test_a_shadow_posts_positions_refusals_and_equity_and_no_order_or_fill() -> None:
    account, outbox = Account(settings(RULES), "shadow", "a"), new_outbox()
    live, beside = trade(settings(RULES), STORY, WISHES)
    given = block(STORY, WISHES)
    account.fold(given, given.signals, outbox)
    assert set(outbox) == {"positions", "rejections", "alerts", "equity", "metrics"}
    for topic in ("positions", "rejections", "equity"):
        assert [row.mode for row in outbox[topic]] == ["shadow"] * len(beside[topic])
    assert account.state()["counts"] == live.state()["counts"]
    assert live.state()["counts"] == {"orders": 3, "fills": 3, "rejections": 1, "positions_closed": 1}


def test_the_state_tells_the_account_at_the_last_instant() -> None:
    account, _ = trade(settings(RULES), STORY, WISHES)
    state = account.state()
    position, interval = state.pop("positions"), state.pop("open_interval")
    # bought at 100 (fee 0.1), stopped at 95 (fee 0.095), sold short at 97 (fee 0.097)
    assert state == {
        "portfolio": "main",
        "mode": "live",
        "strategy": None,
        "currency": "USDT",
        "starting_cash": 10_000,
        "cash": Decimal("10091.708"),
        "equity": 9994.708,
        "peak": 10_000.0,
        "first_ts": at(1),
        "last_ts": at(1441),
        "instants": 6,
        "exposed_instants": 2,
        "drawdown": {
            "max_pct": 0.05292,
            "max_abs": 5.292,
            "peak_ts": at(1),
            "valley_ts": at(1441),
            "end_ts": None,
        },
        "realised_pnl": Decimal("-5.195"),
        "fees": Decimal("0.292"),
        "counts": {"orders": 3, "fills": 3, "rejections": 1, "positions_closed": 1},
    }
    assert [(row.side, row.status, str(row.entry_price), row.ts) for row in position] == [
        ("short", "open", "97", at(1441))
    ]
    assert (interval.ts, interval.instants, interval.equity) == (at(1442), 1, 9994.708)


def test_the_state_of_an_account_that_saw_nothing_is_told_without_times() -> None:
    state = Account(settings()).state()
    assert (state["first_ts"], state["last_ts"], state["open_interval"]) == (None, None, None)
    assert state["drawdown"] == {"max_pct": 0.0, "max_abs": 0.0, "peak_ts": None, "valley_ts": None, "end_ts": None}


def test_counts_and_sums_survive_a_restart() -> None:
    ledger, again = Ledger("main", "live", None), Ledger("main", "live", None)
    closed = Closed(Decimal(2), Decimal(90), at(7), "target", Decimal("0.38"), Decimal("19.62"))
    ledger.position(new_outbox(), holding(), at(8), closed)
    again.restore(ledger.snapshot())
    boxes = new_outbox(), new_outbox()
    for one, outbox in zip((ledger, again), boxes, strict=True):
        one.day(outbox, at(1440), Decimal(0), 0.0)
    assert boxes[0] == boxes[1]
    assert {row.name: row.value for row in boxes[1]["metrics"]}["realised_pnl"] == 19.62
