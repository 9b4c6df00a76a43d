"""The gate ``spread`` at its limits and past them, with the exact figures that it decided on."""

from __future__ import annotations

import math
from typing import Any

import pytest

from flows.portfolio.gates.base import Intent, Named, Standing
from flows.portfolio.gates.spread import Spread
from flows.portfolio.stage import PortfolioStage
from schemas.command import Command
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused
from tests.flows.portfolio.stories import BTC, at, checked, flat, settings, slices, tell, trade, wish

BPS, OF_STOP = "risk__max_spread_bps", "risk__max_spread_of_stop"


def quoted(bid: float | None, ask: float | None, *, side: int = 1, price: float = 100.0, stop: Any = 95.0) -> Intent:
    """An entry whose candle closed at these prices."""
    intent = an_intent(side, price, stop)
    intent.signal.bid, intent.signal.ask = bid, ask
    return intent


@pytest.mark.parametrize(
    ("rules", "intent", "figures", "code"),
    [
        # 0.2 of 100 are 20 of 10,000
        ({BPS: 20.0}, quoted(99.9, 100.1), {"bps": pytest.approx(20.0), "most_bps": 20.0}, None),
        ({BPS: 19.9}, quoted(99.9, 100.1), {"bps": pytest.approx(20.0), "most_bps": 19.9}, "SPREAD_TOO_WIDE"),
        # of the middle, wherever the last trade was
        ({BPS: 20.0}, quoted(199.8, 200.2), {"bps": pytest.approx(20.0), "most_bps": 20.0}, None),
        ({BPS: 0.1}, quoted(100.0, 100.0), {"bps": 0.0, "most_bps": 0.1}, None),
        # 0.25 of a stop that is 5 away, for a long and for a short
        ({OF_STOP: 0.05}, quoted(99.75, 100.0), {"of_stop": 0.05, "most_of_stop": 0.05}, None),
        ({OF_STOP: 0.04}, quoted(99.75, 100.0), {"of_stop": 0.05, "most_of_stop": 0.04}, "SPREAD_TOO_WIDE"),
        ({OF_STOP: 0.05}, quoted(99.75, 100.0, side=-1, stop=105.0), {"of_stop": 0.05, "most_of_stop": 0.05}, None),
        # a stop of the configuration is 2.5 % of 100 away, whatever the signal says
        (
            {OF_STOP: 0.05, "exits__stop": "percent", "exits__stop_at": 2.5},
            quoted(99.75, 100.0),
            {"of_stop": 0.1, "most_of_stop": 0.05},
            "SPREAD_TOO_WIDE",
        ),
        # no stop, or none that could be: the gate `stop` refuses that
        ({OF_STOP: 0.05}, quoted(99.0, 100.0, stop=None), {"of_stop": None, "most_of_stop": 0.05}, None),
        ({OF_STOP: 0.05}, quoted(99.0, 100.0, stop=100.0), {"of_stop": None, "most_of_stop": 0.05}, None),
        (  # both: one of them is enough to refuse
            {BPS: 10.0, OF_STOP: 0.05},
            quoted(99.75, 100.0),
            {"bps": pytest.approx(0.25 / 99.875 * 10_000), "most_bps": 10.0, "of_stop": 0.05, "most_of_stop": 0.05},
            "SPREAD_TOO_WIDE",
        ),
    ],
)
def test_it_says_these_figures(rules: dict[str, Any], intent: Intent, figures: Named, code: str | None) -> None:
    verdict = ask(Spread, intent, **rules)
    figures = {"bid": intent.signal.bid, "ask": intent.signal.ask, **figures}
    assert (verdict if code is None else refused(verdict)) == (figures if code is None else (code, figures))


def test_a_stop_in_average_true_ranges_is_measured_in_them() -> None:
    rules = {OF_STOP: 0.05, "exits__stop": "atr", "exits__stop_at": 2.0}
    known: Standing = a_standing()
    known.atr = 1.25
    assert ask(Spread, quoted(99.75, 100.0), known, **rules) == (
        ask(Spread, quoted(99.75, 100.0), known, **{**rules, "exits__stop": "percent", "exits__stop_at": 2.5})
    )
    found = ask(Spread, quoted(99.75, 100.0), a_standing(), **rules)
    assert math.isnan(a_standing().atr)
    assert found == {"bid": 99.75, "ask": 100.0, "of_stop": None, "most_of_stop": 0.05}


@pytest.mark.parametrize("rules", [{BPS: 1e9}, {OF_STOP: 1e9}])
@pytest.mark.parametrize(("bid", "offer"), [(None, None), (99.0, None), (None, 101.0)])
def test_what_is_not_known_is_refused_by_any_limit(rules: Any, bid: float | None, offer: float | None) -> None:
    assert refused(ask(Spread, quoted(bid, offer), **rules)) == ("SPREAD_UNKNOWN", {"bid": bid, "ask": offer})


def test_it_is_there_with_a_limit_only() -> None:
    assert not Spread.wanted(settings())
    assert Spread.wanted(settings({"risk.max_spread_bps": 5.0}))
    assert Spread.wanted(settings({"risk.max_spread_of_stop": 0.1}))


def test_a_refusal_is_told_with_its_figures_and_an_order_has_them_in_its_checks() -> None:
    config = settings({"risk.max_spread_bps": 25.0})
    wishes = [wish(1, "long", 100.0, 95.0), wish(2, "long", 100.0, 95.0), wish(3, "long", 100.0, 95.0)]
    wishes[1].bid, wishes[1].ask = 99.5, 100.5
    wishes[2].bid, wishes[2].ask = 99.875, 100.125
    _, outbox = trade(config, flat((1, 2, 3, 4), 100.0), wishes)
    assert [row.message for row in outbox["rejections"]] == [
        "SPREAD_UNKNOWN: bid=None ask=None",
        "SPREAD_TOO_WIDE: bid=99.5 ask=100.5 bps=100 most_bps=25",
    ]
    (order,) = outbox["orders"]
    assert checked(order)["spread"] == {"bid": 99.875, "ask": 100.125, "bps": 25.0, "most_bps": 25.0}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"bid": 99.9, "ask": 100.1}, "DONE"),
        ({"bid": 99.0, "ask": 101.0}, "SPREAD_TOO_WIDE"),
        ({}, "SPREAD_UNKNOWN"),
        ({"bid": 100.1, "ask": 99.9}, "ARGUMENT_WRONG"),
    ],
)
def test_who_buys_by_hand_says_bid_and_ask(said: dict[str, float], code: str) -> None:
    config = settings({"risk.max_spread_bps": 25.0, "commands.senders": {"ann": ["buy"]}})
    arguments = {"intent": "i", "symbol": BTC, "stop": 95.0, **said}
    buy = Command(id="c", ts=at(1) + 30_000, portfolio="main", sender="ann", name="buy", arguments=arguments)
    outbox = tell(PortfolioStage(config, commands=[buy]), [slices(flat((1, 2), 100.0), [])])
    assert [reply.code for reply in outbox["replies"]] == [code]
