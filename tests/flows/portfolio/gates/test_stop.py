from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.gates.base import Refusal
from flows.portfolio.gates.stop import Stop
from schemas.config.instruments import Instrument
from schemas.config.root import Config
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused

HALF = Instrument(tick=Decimal("0.5"))


def test_no_stop_no_entry() -> None:
    code, figures = refused(ask(Stop, an_intent(stop=None, target=110.0)))
    why = "the signal gives none (stop_distance; by hand stop=PRICE), nor does exits.stop"
    assert (code, figures) == ("STOP_MISSING", {"price": 100.0, "why": why})


@pytest.mark.parametrize(
    ("side", "stop"), [(1, 100.0), (1, 103.0), (-1, 100.0), (-1, 97.0)], ids=["at", "above", "short at", "short below"]
)
def test_a_stop_that_is_not_beyond_the_price_is_refused(side: int, stop: float) -> None:
    verdict = ask(Stop, an_intent(side, stop=stop))
    assert refused(verdict) == ("STOP_WRONG_SIDE", {"price": 100.0, "stop": stop})


@pytest.mark.parametrize(("side", "stop"), [(1, 99.7), (-1, 100.3)])
def test_a_stop_that_the_tick_moves_onto_the_price_is_refused(side: int, stop: float) -> None:
    verdict = ask(Stop, an_intent(side, stop=stop, instrument=HALF))
    assert refused(verdict) == ("STOP_WRONG_SIDE", {"price": 100.0, "stop": 100.0})


@pytest.mark.parametrize(
    ("side", "target", "told"),
    [(1, 100.0, 100.0), (1, 97.0, 97.0), (-1, 100.0, 100.0), (-1, 103.0, 103.0), (1, 100.4, 100.0), (-1, 99.6, 100.0)],
)
def test_a_target_that_is_not_beyond_the_price_is_refused(side: int, target: float, told: float) -> None:
    verdict = ask(Stop, an_intent(side, stop=100.0 - 5 * side, target=target, instrument=HALF))
    assert refused(verdict) == ("TARGET_WRONG_SIDE", {"price": 100.0, "target": told})


@pytest.mark.parametrize(
    ("side", "stop", "target", "stop_on_tick", "target_on_tick", "risk"),
    [
        (1, 95.2, 110.4, "95.5", "110", 4.5),
        (-1, 104.8, 89.6, "104.5", "90", 4.5),
        (1, 95.0, 110.0, "95", "110", 5.0),
        (-1, 105.0, 90.0, "105", "90", 5.0),
    ],
)
def test_stop_and_target_go_to_the_tick_towards_the_price(
    side: int, stop: float, target: float, stop_on_tick: str, target_on_tick: str, risk: float
) -> None:
    intent = an_intent(side, stop=stop, target=target, instrument=HALF, risk=0.0)
    assert ask(Stop, intent) == {"stop": float(stop_on_tick)}
    assert (str(intent.stop), str(intent.target), intent.risk) == (stop_on_tick, target_on_tick, risk)


def test_no_target_no_entry_unless_that_is_switched_off() -> None:
    intent = an_intent(stop=95.0)
    code, figures = refused(Stop(Config()).check(intent, a_standing()))
    why = (
        "the signal gives none (target_distance; by hand target=PRICE), nor does exits.target; "
        "exits.require_target=false trades without"
    )
    assert (code, figures) == ("TARGET_MISSING", {"price": 100.0, "why": why})
    assert ask(Stop, intent, exits__require_target=False) == {"stop": 95.0}
    assert intent.target is None


@pytest.mark.parametrize(("side", "target"), [(1, "110"), (-1, "90")])
def test_a_target_of_the_settings_is_one(side: int, target: str) -> None:
    intent = an_intent(side, stop=100.0 - 5 * side)
    assert ask(Stop, intent, exits__require_target=True, exits__target="reward") == {"stop": 100.0 - 5 * side}
    assert str(intent.target) == target


PRICES = st.floats(min_value=1.0, max_value=1e5).map(lambda price: round(price, 4))


@given(st.sampled_from([1, -1]), PRICES, PRICES, st.sampled_from(["0.0001", "0.01", "0.5", "1"]))
def test_the_stop_that_is_ordered_never_risks_more_than_the_one_asked_for(
    side: int, price: float, stop: float, tick: str
) -> None:
    intent = an_intent(side, price, stop, instrument=Instrument(tick=Decimal(tick)))
    verdict = ask(Stop, intent)
    if isinstance(verdict, Refusal):
        assert verdict.code == "STOP_WRONG_SIDE"
        assert (price - stop) * side < float(tick)
    else:
        assert 0 < intent.risk <= (price - stop) * side + 1e-9
        assert intent.stop % Decimal(tick) == 0
