from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.control.base import MANUAL
from flows.portfolio.sizing import MULTIPLIERS
from flows.portfolio.sizing.by_confidence import by_confidence
from flows.portfolio.sizing.by_consensus import by_consensus
from flows.portfolio.sizing.by_strategy import by_strategy
from schemas.config.risk import RiskConfig
from tests.flows.portfolio.stories import wish


def said(consensus: Any) -> Any:
    signal = wish(1, "long", 100.0, 95.0)
    signal.values = {"consensus": consensus}
    return signal


def test_a_multiplier_that_nobody_asks_for_is_not_there() -> None:
    assert {
        "strategy_scale": by_strategy,
        "scale_by_confidence": by_confidence,
        "scale_by_consensus": by_consensus,
    } == MULTIPLIERS
    assert [bool(getattr(RiskConfig(), setting)) for setting in MULTIPLIERS] == [False, False, False]


@pytest.mark.parametrize(("strategy", "factor"), [("a", 0.25), ("b", 1.0)])
def test_a_strategy_has_its_own_scale(strategy: str, factor: float) -> None:
    signal = wish(1, "long", 100.0, 95.0, strategy=strategy)
    assert by_strategy(RiskConfig(strategy_scale={"a": 0.25}), signal) == factor


def test_confidence_is_the_factor() -> None:
    signal = wish(1, "long", 100.0, 95.0)
    signal.confidence = 0.6
    assert by_confidence(RiskConfig(scale_by_confidence=True), signal) == 0.6


@pytest.mark.parametrize(
    ("consensus", "factor"),
    [(0, 0.2), (4.5, 0.6), (9, 1.0), (12, 1.0), (-3, 0.2), (None, 0.2), ("9", 0.2), (float("nan"), 0.2)],
)
def test_consensus_from_0_to_9_is_a_factor_from_a_fifth_to_one(consensus: Any, factor: float) -> None:
    assert by_consensus(RiskConfig(scale_by_consensus=True), said(consensus)) == pytest.approx(factor, abs=1e-15)


def test_a_signal_that_says_no_consensus_counts_as_none() -> None:
    assert by_consensus(RiskConfig(scale_by_consensus=True), wish(1, "long", 100.0, 95.0)) == 0.2


def test_what_a_person_wants_is_not_cut_for_want_of_a_consensus() -> None:
    assert by_consensus(RiskConfig(scale_by_consensus=True), wish(1, "long", 100.0, 95.0, strategy=MANUAL)) == 1.0


@given(st.floats(0, 9), st.floats(0, 9))
def test_more_consensus_is_never_less(one: float, other: float) -> None:
    config = RiskConfig(scale_by_consensus=True)
    low, high = (by_consensus(config, said(votes)) for votes in sorted((one, other)))
    assert 0.2 <= low <= high <= 1.0
