from __future__ import annotations

from typing import Any

import pytest

from flows.portfolio.gates.position_size import PositionSize
from tests.flows.portfolio.gates.intents import an_intent, ask, refused

CAP: dict[str, Any] = {"risk__max_position_pct": 25.0}


@pytest.mark.parametrize("over", ["shrink", "refuse"])
@pytest.mark.parametrize("quantity", [1.0, 24.999, 25.0])
def test_a_position_up_to_exactly_the_cap_passes_unchanged(quantity: float, over: str) -> None:
    intent = an_intent(quantity=quantity)
    verdict = ask(PositionSize, intent, **CAP, risk__over_cap=over)
    assert verdict == {"notional": quantity * 100.0, "most": 2500.0}
    assert intent.quantity == quantity


def test_a_larger_one_is_shrunk_to_the_cap() -> None:
    intent = an_intent(quantity=25.001)
    verdict = ask(PositionSize, intent, **CAP, risk__over_cap="shrink")
    assert verdict == {"notional": pytest.approx(2500.1), "most": 2500.0, "shrunk_to": 2500.0}
    assert intent.quantity == 25.0


def test_a_larger_one_is_refused_where_the_configuration_says_so() -> None:
    verdict = ask(PositionSize, an_intent(quantity=40.0), **CAP, risk__over_cap="refuse")
    assert refused(verdict) == ("POSITION_TOO_LARGE", {"notional": 4000.0, "most": 2500.0})
