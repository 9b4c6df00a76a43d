from __future__ import annotations

from typing import Any

import pytest

from flows.portfolio.gates.gross_exposure import GrossExposure
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused

CAP: dict[str, Any] = {"risk__max_gross_exposure_pct": 100.0}
HELD = a_standing(gross=7_000.0)


@pytest.mark.parametrize("over", ["shrink", "refuse"])
@pytest.mark.parametrize("quantity", [1.0, 30.0])
def test_what_fits_beside_the_open_positions_up_to_exactly_the_cap_passes(quantity: float, over: str) -> None:
    intent = an_intent(quantity=quantity)
    verdict = ask(GrossExposure, intent, HELD, **CAP, risk__over_cap=over)
    assert verdict == {"gross": 7_000.0, "notional": quantity * 100.0, "most": 10_000.0}
    assert intent.quantity == quantity


def test_what_does_not_fit_is_shrunk_to_the_room_that_is_left() -> None:
    intent = an_intent(quantity=50.0)
    verdict = ask(GrossExposure, intent, HELD, **CAP, risk__over_cap="shrink")
    assert verdict == {"gross": 7_000.0, "notional": 5_000.0, "most": 10_000.0, "shrunk_to": 3_000.0}
    assert intent.quantity == 30.0


def test_what_does_not_fit_is_refused_where_the_configuration_says_so() -> None:
    verdict = ask(GrossExposure, an_intent(quantity=50.0), HELD, **CAP, risk__over_cap="refuse")
    assert refused(verdict) == (
        "EXPOSURE_TOO_LARGE",
        {"gross": 7_000.0, "notional": 5_000.0, "most": 10_000.0},
    )


@pytest.mark.parametrize("gross", [10_000.0, 12_000.0])
def test_without_room_there_is_nothing_to_shrink_to(gross: float) -> None:
    verdict = ask(GrossExposure, an_intent(quantity=1.0), a_standing(gross=gross), **CAP, risk__over_cap="shrink")
    assert refused(verdict) == ("EXPOSURE_TOO_LARGE", {"gross": gross, "notional": 100.0, "most": 10_000.0})
