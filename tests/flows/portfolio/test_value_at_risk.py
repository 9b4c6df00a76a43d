from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.columns import Floats
from flows.portfolio.value_at_risk import historical, parametric

Method = Callable[[Floats, Floats, float, float, float], tuple[float, float]]
FLAT = np.zeros(5)
MOVES = np.array([0.01, -0.05, 0.02, -0.03, 0.04])


def lost(base: Floats, unit: Floats, notional: float, level: float) -> float:
    """By its definition: sorted losses, the worst share of them left aside."""
    losses = sorted(-(base + notional * unit), reverse=True)
    return max(0.0, float(losses[int(len(losses) * (1 - level) + 1e-9)]))


@pytest.mark.parametrize(
    ("notional", "level", "loss", "room"),
    [
        (1_000.0, 0.9, 50.0, 200.0),  # the worst of five; 10 of 5 %
        (1_000.0, 0.8, 30.0, 10 / 0.03),  # one is left aside
        (1_000.0, 0.6, 0.0, math.inf),  # two: no other lost
        (-1_000.0, 0.9, 40.0, 250.0),
        (-1_000.0, 0.8, 20.0, 500.0),
    ],
)
def test_history_loses_what_it_lost(notional: float, level: float, loss: float, room: float) -> None:
    assert historical(FLAT, MOVES, notional, 10.0, level) == pytest.approx((loss, room), rel=1e-12)


def test_what_is_held_counts_and_a_hedge_makes_room() -> None:
    assert historical(400 * MOVES, MOVES, 1_000.0, 30.0, 0.9) == pytest.approx((70.0, 200.0))
    assert historical(400 * MOVES, MOVES, -1_000.0, 30.0, 0.9) == pytest.approx((24.0, 1_150.0))


@pytest.mark.parametrize(("method", "share"), [(historical, 0.9), (parametric, 2.0)])
def test_there_is_no_room_where_the_limit_is_passed_already(method: Method, share: float) -> None:
    assert method(1_000 * MOVES, MOVES, 10.0, 10.0, share)[1] == 0.0


def test_a_normal_distribution_has_the_variance_that_there_was() -> None:
    moves = np.array([0.03, -0.03, 0.03, -0.03])
    assert parametric(np.zeros(4), moves, 1_000.0, 15.0, 2.0) == pytest.approx((60.0, 250.0))
    assert parametric(100 * moves, moves, 1_000.0, 15.0, 2.0) == pytest.approx((66.0, 150.0))
    assert parametric(100 * moves, moves, -1_000.0, 15.0, 2.0) == pytest.approx((54.0, 350.0))


@pytest.mark.parametrize("method", [historical, parametric])
def test_what_does_not_move_has_all_the_room(method: Method) -> None:
    assert method(FLAT, FLAT, 1_000.0, 10.0, 0.9) == (0.0, math.inf)


amounts = st.lists(st.tuples(st.floats(-500, 500), st.floats(-0.5, 0.5)), min_size=1, max_size=40)


@settings(deadline=None)
@given(
    amounts,
    st.floats(-1e4, 1e4).filter(lambda notional: abs(notional) > 1),
    st.floats(0, 1_000),
    st.sampled_from([0.5, 0.9, 0.95, 0.99]),
    st.floats(0, 1),
)
def test_history_within_its_room_never_passes_the_limit(
    drawn: list[tuple[float, float]], notional: float, most: float, level: float, part: float
) -> None:
    base, unit = (np.array(column) for column in zip(*drawn, strict=True))
    loss, room = historical(base, unit, notional, most, level)
    assert loss == lost(base, unit, notional, level)
    size = part * min(room, 1e9) * math.copysign(1, notional)
    if room > 0:
        assert lost(base, unit, size, level) <= most + 1e-9 * (abs(size) + 500)
    else:
        assert lost(base, unit, notional * 1e-6, level) >= most - 1e-2


@settings(deadline=None)
@given(
    amounts,
    st.floats(-1e4, 1e4).filter(lambda notional: abs(notional) > 1),
    st.floats(1, 1_000),
    st.floats(0.5, 4),
    st.floats(0, 1),
)
def test_a_normal_distribution_within_its_room_never_passes_the_limit(
    drawn: list[tuple[float, float]], notional: float, most: float, deviations: float, part: float
) -> None:
    base, unit = (np.array(column) for column in zip(*drawn, strict=True))

    def deviation(size: float) -> float:
        return deviations * math.sqrt(float(np.mean((base + size * unit) ** 2)))

    loss, room = parametric(base, unit, notional, most, deviations)
    assert loss == pytest.approx(deviation(notional), rel=1e-6, abs=1e-6)
    if room == 0:
        assert deviation(0.0) >= most * (1 - 1e-9)
    elif room < 1e9:
        assert deviation(part * room * math.copysign(1, notional)) <= most * (1 + 1e-6)
        assert deviation(1.001 * room * math.copysign(1, notional)) >= most * (1 - 1e-6)
