"""Sliding windows in O(1) a row, without ever subtracting what leaves.

A sum that adds what comes and subtracts what goes collects rounding errors, and cannot be had for a maximum at all.
Here a ring of ``length`` cells is filled from its start, and when its last cell is written, it is turned in place into
totals of its suffixes: cell ``j`` then holds the total of cells ``j`` to the end. From there on the window at cell
``at`` is the total of cells 0 to ``at``, kept running while they are written, joined with the suffix that starts at
``at + 1``. One pass of ``length`` additions every ``length`` rows is O(1) a row, nothing outlives two windows, and it
works for whatever can be joined: sums, sums of squares, maxima. (For maxima this is the algorithm of van Herk and of
Gil and Werman, Pattern Recognition Letters 13, 1992, and IEEE PAMI 15, 1993.)

``count`` is the one number that says where a ring stands: below ``length`` while it fills for the first time, between
``length`` and ``2 * length - 1`` ever after.
"""

from __future__ import annotations

from flows.kernel import kernel


@kernel
def cell(count: int, length: int) -> int:
    """The cell of the ring that the next value goes to."""
    return count - length if count >= length else count
