from __future__ import annotations

import pickle

import pytest

from flows.portfolio.gates.base import Capped, Refusal, over
from schemas.wire import encode
from tests.flows.portfolio.gates.intents import an_intent, refused


class Told(Capped):
    most: float


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


def test_what_is_above_a_cap_is_shrunk_to_it() -> None:
    intent = an_intent(quantity=10.5)
    verdict = over(intent, 1000.0, "TOO_LARGE", Told(1000.0), shrink=True)
    assert verdict.named() == {"most": 1000.0, "shrunk_to": 1000.0}
    assert intent.quantity == 10.0


def test_what_is_above_a_cap_is_refused_where_shrinking_is_off() -> None:
    intent = an_intent(quantity=10.5)
    verdict = over(intent, 1000.0, "TOO_LARGE", Told(1000.0), shrink=False)
    assert refused(verdict) == ("TOO_LARGE", {"most": 1000.0})
    assert intent.quantity == 10.5


@pytest.mark.parametrize("room", [0.0, -250.0])
def test_where_no_room_is_left_there_is_nothing_to_shrink_to(room: float) -> None:
    verdict = over(an_intent(quantity=1.0), room, "TOO_LARGE", Told(1000.0), shrink=True)
    assert refused(verdict) == ("TOO_LARGE", {"most": 1000.0})


def test_figures_are_pickled_as_they_are_on_the_wire() -> None:
    figures = [Told(1000.0), Told(1000.0, shrunk_to=500.0)]
    assert pickle.loads(pickle.dumps(figures)) == [{"most": 1000.0}, {"most": 1000.0, "shrunk_to": 500.0}]
    assert encode(figures) == b'[{"most":1000.0},{"most":1000.0,"shrunk_to":500.0}]'
