"""Requests and messages within the limits of an exchange."""

from __future__ import annotations

from schemas.capture import NANOS


class Budget:
    """So much in a stretch of time, spent evenly: a bucket that fills again as time passes. Times are epoch ns.

    >>> budget = Budget(amount=2, per_s=1.0)
    >>> [budget.wait_ns(0) for _ in range(3)]
    [0, 0, 500000000]
    """

    def __init__(self, amount: float, per_s: float) -> None:
        self._each = per_s * NANOS / amount  # how long one takes to come back
        self._burst = per_s * NANOS
        self._until = 0.0  # when everything that was taken has come back

    def wait_ns(self, now: int, weight: int = 1) -> int:
        """Take ``weight``. Returns how long to wait before it is used."""
        self._until = max(self._until, float(now)) + weight * self._each
        return max(0, round(self._until - now - self._burst))

    def closed(self, until: int) -> None:
        """The exchange said that nothing will be had before."""
        self._until = max(self._until, until + self._burst)
