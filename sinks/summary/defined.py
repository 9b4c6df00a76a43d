"""Null for what is not defined: a summary holds no NaN and no infinity, which JSON does not know."""

from __future__ import annotations

import math

from sinks.columns import Floats


def defined(value: float | None) -> float | None:
    """The value as a plain float, or None when it is None, NaN or infinite.

    >>> defined(1.5), defined(float("inf")), defined(float("nan"))
    (1.5, None, None)
    """
    return float(value) if value is not None and math.isfinite(value) else None


def ratio(above: float | None, below: float | None) -> float | None:
    """``above / below``, or None where that is not defined.

    >>> ratio(3, 2), ratio(3, 0), ratio(None, 2)
    (1.5, None, None)
    """
    if above is None or below is None or below == 0:
        return None
    return defined(above / below)


def percent(fraction: float | None) -> float | None:
    """A fraction in percent.

    >>> percent(0.5), percent(None)
    (50.0, None)
    """
    return None if fraction is None else defined(fraction * 100)


def total(money: Floats) -> float:
    """The exact sum, rounded once: cents do not drift, whatever the order and the machine.

    >>> import numpy as np
    >>> total(np.array([0.1] * 10))
    1.0
    """
    return math.fsum(money.tolist())
