"""Positions that leave in part at the market: by a signal, a command, a breaker; and what guards the rest."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from flows.outbox import new_outbox
from flows.portfolio.book import Holding
from flows.portfolio.parting import part_of, parted
from flows.portfolio.stage import PortfolioStage
from flows.portfolio.tranches import tranche
from schemas.config.instruments import Instrument
from tests.flows.portfolio.stories import (
    BTC,
    Row,
    at,
    fields,
    fills,
    flat,
    settings,
    slices,
    tell,
    trade,
    wired,
    wish,
)

LADDER: dict[str, Any] = {
    "exits.ladder": [{"share_pct": 50, "at": 1}, {"share_pct": 25, "at": 1.6}],
    "risk.quantity": "4",
}
"""Of 4 units from 100 with a stop at 95: 2 leave at 105, 1 at 108, 1 at the target of the signal."""
LONG = wish(1, "long", 100.0, 95.0, 120.0)


def held(quantity: str, going: str = "0") -> Holding:
    """Of a position in BTC/USDT."""
    zero, many = Decimal(0), Decimal(quantity)
    holding = Holding("id", "a", BTC, 1, many, Decimal(100), zero, 0, zero, Decimal(95), None)
    holding.going = Decimal(going)
    return holding


@pytest.mark.parametrize(
    ("holding", "share_pct", "instrument", "leaves"),
    [
        (held("4"), 50, {}, "2"),
        (held("0.005"), 50, {}, "0.002"),
        (held("4", going="2"), 50, {}, "1"),
        (held("0.3"), 33.3, {"lot": "0.1"}, "0"),
        (held("0.3"), 33.4, {"lot": "0.1"}, "0.1"),
        (held("0.001"), 99, {}, "0"),
        (held("4"), 49, {"min_quantity": 2}, "0"),
        (held("4"), 50, {"min_quantity": 2}, "2"),
        (held("4"), 51, {"min_quantity": 2}, "4"),
        (held("4"), 24.9, {"min_notional": 100}, "0"),
        (held("4"), 25, {"min_notional": 100}, "1"),
        (held("4"), 75, {"min_notional": 100}, "3"),
        (held("4"), 75.1, {"min_notional": 100}, "4"),
        (held("0.5"), 50, {"min_notional": 100}, "0.5"),
        (held("4"), 100, {}, "4"),
    ],
)
def test_how_much_leaves(holding: Holding, share_pct: float, instrument: dict[str, Any], leaves: str) -> None:
    rules = Instrument.model_validate({"lot": "0.001", "min_notional": 0, **instrument})
    assert part_of(holding, share_pct, rules, 100.0) == Decimal(leaves)


@pytest.mark.parametrize(
    ("quantity", "instrument", "stay"),
    [
        ("2", {}, ["1", "0.5", "0.5"]),
        ("2", {"lot": 1}, ["1", "1"]),
        ("0.001", {}, ["1.999", "0.999", "1.001"]),
        ("1", {"min_quantity": 1}, ["1.5", "1.5"]),
        ("2", {"min_quantity": "0.6"}, ["1", "1"]),
        ("2.5", {"min_quantity": "0.8", "lot": "0.1"}, ["1.5"]),
        ("2", {"min_notional": 100}, ["1", "1"]),
        ("2", {"min_notional": 101}, ["2"]),
    ],
)
def test_each_part_gives_its_share(quantity: str, instrument: dict[str, Any], stay: list[str]) -> None:
    rules = Instrument.model_validate({"lot": "0.001", "min_notional": 0, **instrument})
    parts = [tranche(n, 1, Decimal(q), Decimal(95), None) for n, q in enumerate(("2", "1", "1"))]
    left = parted(parts, Decimal(quantity), rules, 100.0)
    assert [str(one.quantity) for one in left] == stay
    assert sum(one.quantity for one in left) == 4 - Decimal(quantity)


def test_a_last_part_that_is_too_small_goes_to_the_one_before() -> None:
    rules = Instrument(lot=Decimal("0.001"), min_quantity=Decimal(1), min_notional=Decimal(0))
    parts = [tranche(n, 1, Decimal(q), Decimal(95), None) for n, q in enumerate(("4", "1"))]
    assert [(one.number, str(one.quantity)) for one in parted(parts, Decimal(1), rules, 100.0)] == [(0, "4.0")]


def test_half_of_a_ladder_leaves_and_its_rungs_and_stop_follow() -> None:
    rows = [*flat((1, 2, 3), 100.0), Row(4, 101, 105, 101, 104), Row(5, 104, 104, 94, 94)]
    account, outbox = trade(settings(LADDER), rows, [LONG, wish(3, "flat", 100.0, share_pct=50.0)])
    assert fields(outbox["fills"], "ts", "leg", "quantity", "price") == [
        (2, "entry", "4", "100"),
        (4, "exit", "2", "101"),
        (4, "target", "1", "105"),
        (5, "stop", "1.0", "95"),
    ]
    names = ("ts", "status", "quantity", "stop", "target", "exit_price", "exit_leg", "realised_pnl")
    assert fields(outbox["positions"], *names) == [
        (2, "open", "4", "95", "120", None, None, "0E-8"),
        (4, "open", "2", "95", "120", None, None, "2.00000000"),
        (4, "open", "1", "95", "120", None, None, "7.00000000"),
        (5, "closed", "4.0", "95", "120", "100.5", "stop", "2.00000000"),
    ]
    assert account.book.cash == Decimal(10002)


def test_a_wish_for_part_of_nothing_is_nothing_and_all_of_it_is_all() -> None:
    wishes = [
        wish(1, "flat", 100.0, share_pct=50.0),
        wish(2, "long", 100.0, 95.0),
        wish(4, "flat", 100.0, share_pct=100.0),
    ]
    account, outbox = trade(settings(), flat(range(1, 7), 100.0), wishes)
    assert fields(outbox["orders"], "ts", "leg", "quantity") == [(2, "entry", "1"), (4, "exit", "1")]
    assert account.book.holdings == {}


def test_of_a_signal_an_alert_tells_so() -> None:
    rules = {"instruments.default.min_quantity": "0.5"}
    wishes = [wish(1, "long", 100.0, 95.0), wish(3, "flat", 100.0, share_pct=40.0)]
    _, outbox = trade(settings({**rules, "breakers.losses.most": 9}), flat(range(1, 6), 100.0), wishes)
    (alert,) = outbox["alerts"]
    assert (alert.code, alert.level, alert.symbol) == ("PART_TOO_SMALL", "info", BTC)
    assert alert.figures == {"strategy": "a", "by": "signal", "share_pct": 40.0, "held": "1"}
    assert len(outbox["orders"]) == 1


@pytest.mark.parametrize("stop", range(1, 6))
def test_an_account_that_was_put_back_goes_on_as_before(stop: int) -> None:
    rows = [*flat((1, 2, 3), 100.0), Row(4, 101, 105, 101, 104), Row(5, 104, 104, 94, 94)]
    wishes = [LONG, wish(3, "flat", 100.0, share_pct=50.0)]
    config = settings({**LADDER, "breakers.losses.most": 9})
    whole = tell(PortfolioStage(config), [slices(rows, wishes)])
    stage, outbox = PortfolioStage(config), new_outbox()
    for begin, end in ((0, stop), (stop, 5)):
        asked = [one for one in wishes if at(begin) < one.ts <= at(end)]
        for topic, records in tell(stage, [slices(rows[begin:end], asked, watermark=at(end))]).items():
            outbox[topic].extend(records)
        state = pickle.loads(pickle.dumps(stage.snapshot()))
        stage = PortfolioStage(config)
        stage.restore(state)
    whole.pop("state")
    assert wired(outbox) == wired(whole)
    assert [fill[2] for fill in fills(outbox)] == ["entry", "exit", "target", "stop"]
