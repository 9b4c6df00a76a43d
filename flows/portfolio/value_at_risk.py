"""Value at Risk over one sample of returns, and the largest entry up to which it stays within a limit.

Both methods start from scenarios: what each sample would do to the positions that are held (``base``, in money) and
to one unit of value in the symbol that is to be entered (``unit``). ``notional`` is what is to be entered, negative for
a short. Both return the loss with all of it, at least 0, and the room: the largest absolute value such that no smaller
one passes ``most`` either.
"""

from __future__ import annotations

import math

import numpy as np

from flows.columns import Floats, Ints
from flows.kernel import kernel


@kernel
def among(least: Floats, kept: int, value: float) -> int:
    """Put a value among the least ones so far, which are sorted; returns how many there are then, at most all places.

    For few places much faster than to sort, or to part, all values.

    >>> least, kept = np.empty(2), 0
    >>> for value in (3.0, 1.0, 2.0, 1.0): kept = among(least, kept, value)
    >>> least.tolist(), kept
    ([1.0, 1.0], 2)
    """
    if kept == len(least):
        if value >= least[kept - 1]:
            return kept
        kept -= 1
    place = kept
    while place > 0 and least[place - 1] > value:
        least[place] = least[place - 1]
        place -= 1
    least[place] = value
    return kept + 1


@kernel
def historical(base: Floats, unit: Floats, notional: float, most: float, level: float) -> tuple[float, float]:
    """The loss that all but ``1 - level`` of the scenarios stay within (P. Jorion, Value at Risk, 3rd edition, ch. 10).

    Of ``n`` scenarios the worst ``floor(n × (1 - level))`` are left aside. A scenario that passes the limit already
    counts as one that does, even if the entry would mend it.

    >>> base, unit = np.zeros(4), np.array([0.01, -0.02, 0.03, -0.04])
    >>> [round(figure, 6) for figure in historical(base, unit, 1_000.0, 10.0, 0.75)]
    [20.0, 500.0]
    """
    side = 1.0 if notional >= 0 else -1.0
    n = len(base)
    worse = int(n * (1 - level) + 1e-9)
    results, rooms = np.empty(worse + 1), np.empty(worse + 1)
    results_kept = rooms_kept = 0
    for i in range(n):
        results_kept = among(results, results_kept, base[i] + notional * unit[i])
        left, step = most + base[i], -side * unit[i]
        rooms_kept = among(rooms, rooms_kept, 0.0 if left < 0 else (left / step if step > 0 else np.inf))
    return max(0.0, -results[worse]), rooms[worse]


@kernel
def parametric(base: Floats, unit: Floats, notional: float, most: float, deviations: float) -> tuple[float, float]:
    """So many standard deviations around zero, as if losses were normal (RiskMetrics, Technical Document, 1996).

    The variance of the sum is quadratic in what is entered, so the room is the larger root of it.

    >>> base, unit = np.zeros(4), np.array([0.03, -0.03, 0.03, -0.03])
    >>> [round(figure, 6) for figure in parametric(base, unit, -1_000.0, 15.0, 2.0)]
    [60.0, 250.0]
    """
    side = 1.0 if notional >= 0 else -1.0
    n = len(base)
    held = both = own = 0.0
    for i in range(n):
        held += base[i] * base[i] / n
        both += base[i] * side * unit[i] / n
        own += unit[i] * unit[i] / n
    size = abs(notional)
    loss = deviations * math.sqrt(max(0.0, held + 2 * both * size + own * size * size))
    spare = (most / deviations) ** 2 - held if deviations > 0 else np.inf
    if spare < 0:
        return loss, 0.0
    if own <= 0 or spare == np.inf:
        return loss, np.inf
    root = math.sqrt(both * both + own * spare)
    return loss, spare / (root + both) if both > 0 else (root - both) / own  # the form in which nothing cancels


@kernel
def value_at_risk(
    ring: Floats, slots: Ints, values: Floats, own: int, notional: float, most: float, level: float, deviations: float
) -> tuple[float, float, int]:
    """Loss, room, and how many samples of the ring they are of: those in which all symbols concerned have a return.

    ``slots`` and signed ``values`` are what is held, ``own`` is the symbol that is to be entered. Parametric when
    ``deviations`` is above 0, else historical.
    """
    base, unit = np.empty(len(ring)), np.empty(len(ring))
    n = 0
    for i in range(len(ring)):
        entered, held = ring[i, own], 0.0
        for k in range(len(slots)):
            held += values[k] * ring[i, slots[k]]
        if not (np.isnan(entered) or np.isnan(held)):
            base[n], unit[n] = held, entered
            n += 1
    if n == 0:
        return 0.0, 0.0, 0
    if deviations > 0:
        loss, room = parametric(base[:n], unit[:n], notional, most, deviations)
    else:
        loss, room = historical(base[:n], unit[:n], notional, most, level)
    return loss, room, n
