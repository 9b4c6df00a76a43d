from __future__ import annotations

import pytest

from flows.portfolio.gates.open_positions import OpenPositions
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused


@pytest.mark.parametrize("positions", [0, 1, 2])
def test_a_position_that_still_fits_passes(positions: int) -> None:
    verdict = ask(OpenPositions, an_intent(), a_standing(positions=positions), risk__max_open_positions=3)
    assert verdict == {"open": positions, "most": 3}


@pytest.mark.parametrize("positions", [3, 4])
def test_one_more_than_the_limit_is_refused(positions: int) -> None:
    verdict = ask(OpenPositions, an_intent(), a_standing(positions=positions), risk__max_open_positions=3)
    assert refused(verdict) == ("POSITIONS_TOO_MANY", {"open": positions, "most": 3})
