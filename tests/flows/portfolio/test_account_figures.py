"""Sizes, equity, days and the state of an account; its orders and fills are in ``test_account.py``."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest

from flows.outbox import new_outbox
from flows.portfolio.account import Account
from tests.flows.portfolio.stories import (
    BTC,
    ETH,
    MINUTE,
    Row,
    at,
    block,
    checked,
    fields,
    flat,
    settings,
    trade,
    wired,
    wish,
)

FEES = {"broker.fee_pct": 0.1}


# -- sizes ------------------------------------------------------------------------------------------------------------


def test_risk_sizing_loses_the_share_of_equity_at_the_stop_and_rounds_down_to_the_lot() -> None:
    rules = {"risk.sizing": "risk", "risk.per_trade_pct": 0.5, "instruments.default.lot": "0.01"}
    rows = [*flat((1, 2), 100.0), Row(3, 100, 100, 92, 93)]
    account, outbox = trade(settings(rules), rows, [wish(1, "long", 100.0, 93.0)])
    assert [str(row.quantity) for row in outbox["orders"]] == ["7.14", "7.14"]  # 50 / 7 = 7.1428…
    assert account.book.cash == Decimal("9950.02")


def test_an_entry_is_shrunk_by_each_cap_in_turn() -> None:
    rules = {
        "risk.quantity": "50",
        "risk.max_position_pct": 40.0,
        "risk.max_gross_exposure_pct": 60.0,
        "instruments.default.min_notional": "10",
    }
    rows = [*flat((1, 2, 3), 100.0), *flat((1, 2, 3), 30.0, ETH)]
    wishes = [
        wish(1, "long", 100.0, 95.0),
        wish(1, "short", 30.0, 33.0, symbol=ETH),
        wish(2, "long", 100.0, 95.0, strategy="b"),
    ]
    _, outbox = trade(settings(rules), rows, wishes)
    assert fields(outbox["orders"], "symbol", "quantity") == [(BTC, "40"), (ETH, "50"), (BTC, "5")]
    first, second, third = (checked(row) for row in outbox["orders"])
    # The exposure is asked before the size: where both bind, each says what it shrank to.
    assert first["gross_exposure"] == {"gross": 0.0, "notional": 5_000.0, "most": 6_000.0}
    assert first["position_size"] == {"notional": 5_000.0, "most": 4_000.0, "shrunk_to": 4_000.0}
    assert second["gross_exposure"] == {"gross": 4_000.0, "notional": 1_500.0, "most": 6_000.0}
    assert third["gross_exposure"] == {"gross": 5_500.0, "notional": 5_000.0, "most": 6_000.0, "shrunk_to": 500.0}
    assert third["position_size"] == {"notional": 500.0, "most": 4_000.0}


def test_what_a_cap_leaves_is_refused_when_it_is_below_the_minimum() -> None:
    rules = {"risk.quantity": "50", "risk.max_position_pct": 0.0999, "instruments.default.min_notional": "10"}
    _, outbox = trade(settings(rules), flat((1, 2), 100.0), [wish(1, "long", 100.0, 95.0)])
    assert [row.message for row in outbox["rejections"]] == ["NOTIONAL_TOO_SMALL: notional=9.9 least=10"]
    assert outbox["orders"] == []


# -- equity, exposure and days ----------------------------------------------------------------------------------------


def test_an_equity_record_keeps_what_its_interval_hides() -> None:
    rows = [
        *flat((1, 2), 100.0),
        *(Row(n, c, c, c, c) for n, c in ((3, 104.0), (4, 98.0), (5, 101.0), (6, 103.0), (11, 90.0))),
    ]
    account, outbox = trade(
        settings({"run.equity_every": "5m", "risk.quantity": "10"}), rows, [wish(1, "long", 100.0, 80.0)]
    )
    names = ("ts", "equity", "equity_low", "equity_high", "cash", "gross_exposure", "exposed", "instants")
    assert [tuple(getattr(row, name) for name in names) for row in outbox["equity"]] == [
        (at(5), 10_010.0, 9_980.0, 10_040.0, 9_000.0, 1_010.0, 4, 5),
        (at(10), 10_030.0, 10_030.0, 10_030.0, 9_000.0, 1_030.0, 1, 1),
    ]
    assert [row.drawdown_pct for row in outbox["equity"]] == [round(100 * 60 / 10_040, 8), round(100 * 10 / 10_040, 8)]
    state = account.state()
    assert (state["instants"], state["exposed_instants"], state["equity"]) == (7, 6, 9_900.0)
    assert state["open_interval"].ts == at(15)
    assert state["drawdown"] == {
        "max_pct": round(100 * 140 / 10_040, 8),
        "max_abs": 140.0,
        "peak_ts": at(3),
        "valley_ts": at(11),
        "end_ts": None,
    }


def test_the_metrics_of_a_day_come_when_the_next_one_begins() -> None:
    rows = [*flat((1, 2), 100.0), Row(3, 100, 101, 94, 96), *flat((1440,), 96.0), *flat((1441, 1442), 98.0)]
    rows += flat((1440 * 5,), 99.0)
    wishes = [wish(1, "long", 100.0, 95.0), wish(1440, "long", 96.0, 90.0), wish(1441, "short", 98.0)]
    _, outbox = trade(settings(FEES), rows, wishes)
    days: dict[int, dict[str, float]] = {}
    for row in outbox["metrics"]:
        assert row.labels == {"portfolio": "main", "mode": "live", "strategy": ""}
        days.setdefault((row.ts - at(0)) // MINUTE, {})[row.name] = row.value
    assert days == {
        1440: {
            "orders_total": 3.0,
            "fills_total": 2.0,
            "rejections_total": 0.0,
            "positions_closed_total": 1.0,
            "realised_pnl": -5.195,
            "fees_total": 0.195,
            "cash": 9_994.805,
            "equity": 9_994.805,
        },
        2880: {
            "orders_total": 4.0,
            "fills_total": 4.0,
            "rejections_total": 1.0,
            "positions_closed_total": 2.0,
            "realised_pnl": -5.391,
            "fees_total": 0.391,
            "cash": 9_994.609,
            "equity": 9_994.609,
        },
    }


# -- state ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 5])
def test_an_account_that_was_put_back_goes_on_as_before(stop: int) -> None:
    rows = [*flat((1, 2, 3), 100.0), *flat((1, 2, 3, 4, 5), 10.0, ETH), Row(4, 97, 98, 94, 96), *flat((5, 6), 96.0)]
    wishes = [
        wish(1, "long", 100.0, 95.0),
        wish(2, "short", 10.0, 11.0, symbol=ETH),
        wish(3, "short", 100.0, 104.0),
        wish(4, "long", 10.0, 9.0, symbol=ETH),
    ]
    config = settings({**FEES, "run.equity_every": "2m"})
    whole, expected = trade(config, rows, wishes)
    account, outbox = Account(config), new_outbox()
    for low, high in ((0, stop), (stop, 99)):
        part = block([r for r in rows if low < r.minute <= high], [w for w in wishes if at(low) < w.ts <= at(high)])
        account.fold(part, part.signals, outbox)
        state = pickle.loads(pickle.dumps(account.snapshot()))
        account = Account(config)
        account.restore(state)
    assert wired(outbox) == wired(expected)
    assert account.state() == whole.state()


def test_value_at_risk_is_of_the_returns_between_instants_that_the_spacing_divides() -> None:
    closes = (100.0, 101.0, 100.0, 90.0, 99.0, 100.0, 95.0)
    rows = [Row(n, close, close, close, close) for n, close in enumerate(closes, 1)]
    rules = {
        "risk.max_var_pct": 0.1,  # of 10,000: 10
        "risk.var_sample": "2m",
        "risk.var_horizon": "2m",
        "risk.var_min_samples": 1,
    }
    wishes = [wish(3, "long", 100.0, 80.0), wish(5, "long", 99.0, 80.0), wish(7, "long", 95.0, 80.0, strategy="b")]
    _, outbox = trade(settings(rules), rows, wishes)
    # Closes of minutes 2, 4 and 6 are sampled, before what is decided at them.
    assert fields(outbox["rejections"], "ts", "message") == [(3, "VAR_UNKNOWN: samples=0 least=1")]
    first, second = outbox["orders"]
    fall = 1 - 90.0 / 101.0  # 10.9 %
    assert checked(first)["var"] == {
        "var": pytest.approx(99.0 * fall),
        "most": 10.0,
        "samples": 1,
        "shrunk_to": pytest.approx(10.0 / fall),
    }
    assert str(first.quantity) == "0.927"  # 91.8 of value
    held, most = 0.927 * 95.0, (10_000.0 - 0.927 * 5.0) / 1_000
    assert checked(second)["var"] == {
        "var": pytest.approx((held + 95.0) * fall),
        "most": pytest.approx(most),
        "samples": 2,
        "shrunk_to": pytest.approx(most / fall - held),
    }
    assert str(second.quantity) == "0.039"
