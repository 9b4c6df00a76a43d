from __future__ import annotations

import pytest

from flows.portfolio.gates.duplicate_intent import DuplicateIntent
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused


@pytest.mark.parametrize(("side", "held"), [(1, "long"), (-1, "short")])
def test_a_wish_for_what_is_already_held_is_refused(side: int, held: str) -> None:
    verdict = ask(DuplicateIntent, an_intent(side), a_standing(held=side))
    assert refused(verdict) == ("INTENT_DUPLICATE", {"held": held})


@pytest.mark.parametrize(("side", "held"), [(1, 0), (-1, 0), (1, -1), (-1, 1)])
def test_a_wish_for_something_else_passes(side: int, held: int) -> None:
    assert ask(DuplicateIntent, an_intent(side), a_standing(held=held)) == {"held": held}
