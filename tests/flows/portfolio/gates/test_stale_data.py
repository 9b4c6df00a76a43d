from __future__ import annotations

import pytest

from flows.portfolio.gates.stale_data import StaleData
from tests.flows.portfolio.gates.intents import a_standing, an_intent, ask, refused


@pytest.mark.parametrize("missing", [1, 7])
def test_a_signal_right_after_missing_candles_is_refused_where_they_count_as_stale(missing: int) -> None:
    verdict = ask(StaleData, an_intent(missing=missing), market__empty_candle="stale")
    assert refused(verdict) == ("DATA_STALE", {"missing": missing})


def test_a_signal_without_a_hole_before_it_passes() -> None:
    assert ask(StaleData, an_intent(missing=0), market__empty_candle="stale") == {"missing": 0}


@pytest.mark.parametrize("choice", ["none", "flat"])
def test_a_hole_is_told_but_nothing_is_refused_under_the_other_choices(choice: str) -> None:
    assert ask(StaleData, an_intent(missing=4), market__empty_candle=choice) == {"missing": 4}


def test_a_signal_that_came_after_its_instant_was_decided_is_refused_under_all_choices() -> None:
    late = a_standing()
    late.late_ms = 1
    for choice in ("none", "flat", "stale"):
        verdict = ask(StaleData, an_intent(), late, market__empty_candle=choice)
        assert refused(verdict) == ("SIGNAL_LATE", {"late_ms": 1})
