from __future__ import annotations

import pytest

from flows.portfolio.gates.base import Refusal, limit
from tests.flows.portfolio.gates.intents import an_intent, refused


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"needed": 120.0, "free": 100.0}, "CASH_INSUFFICIENT: needed=120 free=100"),
        ({"needed": 0.1 + 0.2}, "CASH_INSUFFICIENT: needed=0.3"),
        ({"open": 3, "held": "long", "ratio": None}, "CASH_INSUFFICIENT: open=3 held=long ratio=None"),
        ({"notional": 1234567.891}, "CASH_INSUFFICIENT: notional=1234567.891"),
    ],
)
def test_a_refusal_reads_as_its_code_and_its_figures(figures: dict[str, float], message: str) -> None:
    assert Refusal("CASH_INSUFFICIENT", figures).message() == message


@pytest.mark.parametrize("quantity", [1.0, 10.0])
@pytest.mark.parametrize("shrink", [True, False])
def test_what_is_within_the_limit_or_exactly_at_it_passes_unchanged(quantity: float, shrink: bool) -> None:
    intent = an_intent(quantity=quantity)
    assert limit(intent, 1000.0, shrink=shrink, code="TOO_LARGE", figures={"most": 1000.0}) == {"most": 1000.0}
    assert intent.quantity == quantity


def test_what_is_above_the_limit_is_shrunk_to_it() -> None:
    intent = an_intent(quantity=10.5)
    verdict = limit(intent, 1000.0, shrink=True, code="TOO_LARGE", figures={"most": 1000.0})
    assert verdict == {"most": 1000.0, "shrunk_to": 1000.0}
    assert intent.quantity == 10.0


def test_what_is_above_the_limit_is_refused_where_shrinking_is_off() -> None:
    intent = an_intent(quantity=10.5)
    verdict = limit(intent, 1000.0, shrink=False, code="TOO_LARGE", figures={"most": 1000.0})
    assert refused(verdict) == ("TOO_LARGE", {"most": 1000.0})
    assert intent.quantity == 10.5


@pytest.mark.parametrize("room", [0.0, -250.0])
def test_where_no_room_is_left_there_is_nothing_to_shrink_to(room: float) -> None:
    verdict = limit(an_intent(quantity=1.0), room, shrink=True, code="TOO_LARGE", figures={"room": room})
    assert refused(verdict) == ("TOO_LARGE", {"room": room})
