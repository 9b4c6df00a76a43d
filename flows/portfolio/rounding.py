"""From float analysis to the exact numbers that an exchange accepts: multiples of the tick and of the lot."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

DOWN, UP, NEAREST = ROUND_FLOOR, ROUND_CEILING, ROUND_HALF_EVEN
MONEY = Decimal("0.00000001")
"""Amounts of money are kept to 1e-8 of the account currency."""

# A context of its own: the result may not depend on what the thread's context happens to be.
_EXACT = Context(prec=700)  # any float, written out down to the smallest step
_SHOWN = Context(prec=15)
_ONE = Decimal(1)


def on_grid(value: float, step: Decimal, rounding: str) -> Decimal:
    """A float as a multiple of ``step``, without trailing zeros.

    Fifteen significant digits of the float count: what lies below is noise of its binary form, and would otherwise
    push a value that is meant to be on the grid to the next line of it.

    >>> on_grid(0.1 + 0.2, Decimal("0.1"), UP), on_grid(46385.07, Decimal("0.5"), DOWN)
    (Decimal('0.3'), Decimal('46385'))
    """
    exact = Decimal(f"{value:.15g}")
    unit = _power_of_ten(step)
    if unit is not None:  # nearly always, and much the faster way
        return plain(exact.quantize(unit, rounding, _EXACT))
    return plain(_EXACT.multiply(_EXACT.divide(exact, step).to_integral_value(rounding), step))


@lru_cache(maxsize=1_024)
def _power_of_ten(step: Decimal) -> Decimal | None:
    """A step such as 0.01 in its shortest form; None for one such as 0.05."""
    short = step.normalize(_EXACT)
    return short if short.as_tuple().digits == (1,) else None


def plain(value: Decimal) -> Decimal:
    """The same number in its shortest form without an exponent.

    >>> plain(Decimal("1.500")), plain(Decimal("4E+2")), plain(Decimal("0E-8"))
    (Decimal('1.5'), Decimal('400'), Decimal('0'))
    """
    short = value.normalize(_EXACT)
    # Only a whole number can have got an exponent by it.
    return short.quantize(_ONE, None, _EXACT) if short == short.to_integral_value() else short


def worth(price: Decimal, quantity: Decimal) -> Decimal:
    """Price times quantity as money.

    >>> worth(Decimal("38544.5"), Decimal("0.25"))
    Decimal('9636.12500000')
    """
    return money(_EXACT.multiply(price, quantity))


def money(value: Decimal) -> Decimal:
    """An amount of money, to 1e-8, half to even.

    >>> money(Decimal("1.000000015"))
    Decimal('1.00000002')
    """
    return value.quantize(MONEY, NEAREST, _EXACT)


def part(value: Decimal, quantity: Decimal, whole: Decimal) -> Decimal:
    """What a part of a quantity has of its value, as money.

    >>> part(Decimal("100"), Decimal(1), Decimal(3))
    Decimal('33.33333333')
    """
    return money(_EXACT.divide(_EXACT.multiply(value, quantity), whole))


def share(quantity: Decimal, part: Decimal, whole: Decimal, lot: Decimal) -> Decimal:
    """``part`` of ``whole`` of a quantity, down to the lot.

    >>> share(Decimal("0.5"), Decimal(1), Decimal(2), Decimal("0.1"))
    Decimal('0.2')
    """
    lots = _EXACT.divide(_EXACT.multiply(quantity, part), _EXACT.multiply(whole, lot))
    return plain(_EXACT.multiply(lots.to_integral_value(DOWN), lot))


def average(value: Decimal, quantity: Decimal) -> Decimal:
    """The price of a quantity that was filled at several, to 15 significant digits.

    >>> average(Decimal("320"), Decimal(3)), average(Decimal("315"), Decimal(3))
    (Decimal('106.666666666667'), Decimal('105'))
    """
    return plain(_SHOWN.divide(value, quantity))
