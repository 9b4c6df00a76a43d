from __future__ import annotations

from decimal import Decimal, getcontext, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.rounding import DOWN, NEAREST, UP, money, on_grid, plain

STEPS = st.sampled_from([Decimal(step) for step in ("0.00000001", "0.001", "0.01", "0.05", "0.25", "0.5", "1", "10")])
VALUES = st.floats(min_value=1e-6, max_value=1e9)


@pytest.mark.parametrize(
    ("value", "step", "rounding", "result"),
    [
        (101.7, "0.5", DOWN, "101.5"),
        (101.7, "0.5", UP, "102"),
        (101.74, "0.5", NEAREST, "101.5"),
        (101.76, "0.5", NEAREST, "102"),
        (0.25, "0.5", NEAREST, "0"),
        (0.75, "0.5", NEAREST, "1"),
        (7.0, "0.001", UP, "7"),
        (19.99, "10", UP, "20"),
        (19.99, "10", DOWN, "10"),
        (0.4, "1", DOWN, "0"),
        (12345.678, "0.00000001", DOWN, "12345.678"),
    ],
)
def test_a_value_goes_to_the_asked_side_of_its_step(value: float, step: str, rounding: str, result: str) -> None:
    assert str(on_grid(value, Decimal(step), rounding)) == result


@pytest.mark.parametrize(
    ("value", "step"), [(0.1 + 0.2, "0.1"), (0.1 * 3, "0.1"), (1.1 * 1.1, "0.01"), (4.35 * 100, "1")]
)
def test_noise_of_the_binary_form_moves_nothing_off_the_grid(value: float, step: str) -> None:
    assert on_grid(value, Decimal(step), UP) == on_grid(value, Decimal(step), DOWN)


def test_fifteen_digits_count_and_the_sixteenth_does_not() -> None:
    assert str(on_grid(1.00000000000001, Decimal("0.5"), UP)) == "1.5"
    assert str(on_grid(1.0000000000000002, Decimal("0.5"), UP)) == "1"


@given(VALUES, STEPS)
def test_the_result_is_a_multiple_of_the_step_less_than_a_step_away(value: float, step: Decimal) -> None:
    exact = Decimal(f"{value:.15g}")
    below, above = on_grid(value, step, DOWN), on_grid(value, step, UP)
    assert below % step == 0
    assert above % step == 0
    assert below <= exact <= above
    assert above - below == (0 if exact % step == 0 else step)


@given(VALUES, STEPS, st.sampled_from([DOWN, UP, NEAREST]))
def test_what_is_on_the_grid_stays_where_it_is(value: float, step: Decimal, rounding: str) -> None:
    once = on_grid(value, step, rounding)
    assert on_grid(float(once), step, rounding) == once


@pytest.mark.parametrize("rounding", [DOWN, UP])
def test_a_result_needs_no_exponent_and_has_no_trailing_zero(rounding: str) -> None:
    for value, step in ((1e15, "1"), (400.0, "100"), (0.00000012, "0.00000001"), (1.5, "0.10")):
        text = str(on_grid(value, Decimal(step), rounding)).lower()
        assert "e" not in text or Decimal(text) < Decimal("0.000001")
        assert "." not in text or not text.endswith("0")


@pytest.mark.parametrize(
    ("value", "result"),
    [("1.500", "1.5"), ("4E+2", "400"), ("0E-8", "0"), ("0.00", "0"), ("120", "120"), ("0.10000000", "0.1")],
)
def test_plain_is_the_shortest_form_of_the_same_number(value: str, result: str) -> None:
    assert str(plain(Decimal(value))) == result


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("1.000000015", "1.00000002"),
        ("1.000000025", "1.00000002"),
        ("-1.000000015", "-1.00000002"),
        ("3", "3.00000000"),
        ("99999999999999999999.123456789", "99999999999999999999.12345679"),
    ],
)
def test_money_is_kept_to_the_eighth_digit_half_to_even(value: str, result: str) -> None:
    assert str(money(Decimal(value))) == result


def test_a_huge_quantity_of_a_tiny_lot_is_a_number_like_any_other() -> None:
    assert str(on_grid(1.5e21, Decimal("0.00000001"), DOWN)) == "1500000000000000000000"


def test_the_context_of_the_thread_changes_nothing() -> None:
    wide = [
        on_grid(46385.07, Decimal("0.00000003"), UP),
        plain(Decimal("123456.7890")),
        money(Decimal("12345.678901234")),
    ]
    with localcontext() as narrow:
        narrow.prec = 6
        assert getcontext().prec == 6
        got = [
            on_grid(46385.07, Decimal("0.00000003"), UP),
            plain(Decimal("123456.7890")),
            money(Decimal("12345.678901234")),
        ]
    assert got == wide


def test_any_float_finds_its_place_on_any_grid() -> None:
    assert on_grid(1e308, Decimal("0.00000001"), DOWN) == Decimal(10) ** 308
    assert on_grid(1e-300, Decimal("0.00000001"), UP) == Decimal("0.00000001")
