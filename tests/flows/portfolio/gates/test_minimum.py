from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.gates.base import Refusal
from flows.portfolio.gates.minimum import Minimum
from schemas.config.instruments import Instrument
from tests.flows.portfolio.gates.intents import an_intent, ask, refused


def instrument(lot: str = "0.001", quantity: str = "0", notional: str = "0") -> Instrument:
    return Instrument(lot=Decimal(lot), min_quantity=Decimal(quantity), min_notional=Decimal(notional))


@pytest.mark.parametrize(
    ("quantity", "lot", "lots"),
    [
        (1.2349, "0.001", "1.234"),
        (1.9999999, "1", "1"),
        (0.3, "0.1", "0.3"),
        (0.1 + 0.2, "0.1", "0.3"),
        (27.0, "5", "25"),
        (0.123456789, "0.00000001", "0.12345678"),
    ],
)
def test_the_quantity_goes_down_to_the_lot(quantity: float, lot: str, lots: str) -> None:
    intent = an_intent(quantity=quantity, instrument=instrument(lot))
    assert ask(Minimum, intent) == {"quantity": float(lots), "notional": float(lots) * 100.0}
    assert (str(intent.lots), intent.quantity) == (lots, float(lots))


@pytest.mark.parametrize(
    ("quantity", "lot", "least_quantity", "least"),
    [(0.9999, "1", "0", 1.0), (0.0, "0.001", "0", 0.001), (0.4999, "0.001", "0.5", 0.5), (0.99, "0.001", "2", 2.0)],
)
def test_less_than_the_smallest_quantity_is_refused_and_never_rounded_up(
    quantity: float, lot: str, least_quantity: str, least: float
) -> None:
    intent = an_intent(quantity=quantity, instrument=instrument(lot, least_quantity))
    assert refused(ask(Minimum, intent)) == ("LOT_TOO_SMALL", {"quantity": quantity, "least": least})


def test_exactly_the_smallest_quantity_passes() -> None:
    intent = an_intent(quantity=0.5, instrument=instrument(quantity="0.5"))
    assert ask(Minimum, intent) == {"quantity": 0.5, "notional": 50.0}


@pytest.mark.parametrize(("quantity", "notional"), [(0.4999, 49.9), (0.0011, 0.1)])
def test_less_than_the_smallest_value_after_rounding_is_refused(quantity: float, notional: float) -> None:
    verdict = ask(Minimum, an_intent(quantity=quantity, instrument=instrument(notional="50")))
    assert refused(verdict) == ("NOTIONAL_TOO_SMALL", {"notional": pytest.approx(notional, abs=1e-12), "least": 50.0})


def test_exactly_the_smallest_value_passes() -> None:
    intent = an_intent(quantity=0.5, instrument=instrument(notional="50"))
    assert ask(Minimum, intent) == {"quantity": 0.5, "notional": 50.0}


@given(
    st.floats(min_value=0.0, max_value=1e6).map(lambda quantity: round(quantity, 6)),
    st.sampled_from(["0.000001", "0.001", "0.25", "1", "7"]),
)
def test_what_passes_is_a_multiple_of_the_lot_and_never_more_than_was_asked(quantity: float, lot: str) -> None:
    intent = an_intent(quantity=quantity, instrument=instrument(lot))
    if isinstance(ask(Minimum, intent), Refusal):
        assert quantity < float(lot)
    else:
        assert intent.lots % Decimal(lot) == 0
        assert 0 <= Decimal(str(quantity)) - intent.lots < Decimal(lot)
