"""The promises that are read off the topics: kept by a ladder and a click, and told when a record is not as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas.wire import encode
from tests.chaos.compare import Row
from tests.chaos.invariants import broken
from tests.chaos.market import expected
from tests.flows.portfolio.control.test_commands import BUY, given, play
from tests.flows.portfolio.stories import Row as Candle
from tests.flows.portfolio.stories import flat, wish

Topics = dict[str, list[Row]]


@pytest.fixture
def rows() -> Topics:
    """Two legs and a rung that leave one by one, the last part at its stop; and a click that is taken back."""
    exits: dict[str, Any] = {
        "exits__ladder": [{"share_pct": 50, "at": 2}],
        "exits__dual__stop_money": "1",
        "exits__dual__at": 1,
    }
    candles = [*flat((1, 2), 100.0), Candle(3, 100, 106, 100, 106), Candle(4, 106, 111, 106, 111)]
    candles += [Candle(5, 111, 111, 94, 94), *flat((6, 7), 94.0)]
    clicks = [given(5.5, "buy", **{**BUY, "stop": 80.0}), given(6.5, "close", symbol=BUY["symbol"])]
    _, outbox = play(clicks, candles, [wish(1, "long", 100.0, 95.0, 130.0)], **exits)
    found = {
        topic: [expected(topic, encode(one)) for one in outbox[topic]] for topic in ("orders", "fills", "positions")
    }
    assert [fill.leg for fill in outbox["fills"]] == ["entry", "target", "target", "stop", "entry", "close"]
    return {**found, "signals": [expected("signals", encode(one)) for one in outbox["signals"]]}


def test_nothing_is_wrong_with_what_an_account_tells(rows: Topics) -> None:
    assert broken(rows) == []


def without(topic: str, at: int) -> Callable[[Topics], Topics]:
    return lambda rows: {**rows, topic: [row for n, row in enumerate(rows[topic]) if n != at]}


def changed(topic: str, at: int, old: bytes, new: bytes) -> Callable[[Topics], Topics]:
    def tamper(rows: Topics) -> Topics:
        row = rows[topic][at]
        assert old in row.value
        return {
            **rows,
            topic: [*rows[topic][:at], row._replace(value=row.value.replace(old, new)), *rows[topic][at + 1 :]],
        }

    return tamper


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (without("fills", 1), "was told as"),
        (without("fills", 3), "was closed 1 times"),
        (without("positions", 1), "was told as"),
        (without("orders", 1), "was filled, but never made"),
        (lambda rows: {**rows, "fills": [*rows["fills"], rows["fills"][3]]}, "was filled 2 times"),
        (changed("orders", 3, b'"quantity":"', b'"quantity":"1'), "was filled in part"),
        (changed("orders", 2, b'"leg":"target"', b'"leg":"exit"'), "exit of"),
        (changed("orders", 0, b'"tranches":[{"quantity":"', b'"tranches":[{"quantity":"1'), "parts are not all of it"),
        (without("signals", 0), "was by hand of nobody"),
    ],
)
def test_a_promise_that_is_not_kept_is_told(tamper: Callable[[Topics], Topics], said: str, rows: Topics) -> None:
    assert said in " ".join(broken(tamper(rows)))


def test_a_click_that_is_traded_twice_is_told(rows: Topics) -> None:
    order, fill = (rows[topic][4] for topic in ("orders", "fills"))
    again = [row._replace(id="again", value=row.value.replace(order.id.encode(), b"again")) for row in (order, fill)]
    twice = {**rows, "orders": [*rows["orders"], again[0]], "fills": [*rows["fills"], again[1]]}
    assert any(line.startswith("intent click of ann was traded 2 times") for line in broken(twice))
