"""Value at Risk over one sample, and the largest position up to which it stays within a limit.

Both methods start from scenarios: what each sample of returns would do to the positions that are held (``base``, in
money) and to one unit of value in the symbol that is to be entered (``unit``). ``notional`` is what is to be entered,
negative for a short. Both return the loss with all of it, at least 0, and the room: the largest absolute value such
that no smaller one passes ``most`` either.
"""

from __future__ import annotations

import math

import numpy as np

from flows.columns import Floats
from flows.kernel import kernel


@kernel
def historical(base: Floats, unit: Floats, notional: float, most: float, level: float) -> tuple[float, float]:
    """The loss that all but ``1 - level`` of the scenarios stay within (P. Jorion, Value at Risk, 3rd edition, ch. 10).

    Of ``n`` scenarios the worst ``floor(n × (1 - level))`` are left aside. A scenario that passes the limit already
    counts as one that does, even if the position would mend it.

    >>> base, unit = np.zeros(4), np.array([0.01, -0.02, 0.03, -0.04])
    >>> [round(figure, 6) for figure in historical(base, unit, 1_000.0, 10.0, 0.75)]
    [20.0, 500.0]
    """
    side = 1.0 if notional >= 0 else -1.0
    n = len(base)
    worse = int(n * (1 - level) + 1e-9)
    results, rooms = np.empty(n), np.empty(n)
    for i in range(n):
        results[i] = base[i] + notional * unit[i]
        left, step = most + base[i], -side * unit[i]
        rooms[i] = 0.0 if left < 0 else (left / step if step > 0 else np.inf)
    return max(0.0, -np.partition(results, worse)[worse]), np.partition(rooms, worse)[worse]


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
