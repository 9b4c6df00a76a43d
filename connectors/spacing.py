"""The timeframe of a file, from what is said about it and from how far its rows are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectors.cells import UNREADABLE, Ints
from connectors.errors import CandleFileError
from schemas.timeframe import from_millis


@dataclass(frozen=True, slots=True)
class Spacing:
    """How far rows are apart: the commonest distance in ms (the shorter one of two equally common), and all distances.

    >>> Spacing.of(np.array([60, 120, 120, 300, 180, -1]) * 1000).commonest
    60000
    """

    commonest: int
    distances: Ints

    @classmethod
    def of(cls, times: Ints) -> Spacing | None:
        """Distances between neighbours in time, whatever the order of the rows; None with fewer than two times."""
        steps = np.diff(times)
        if times[0] == UNREADABLE or (steps <= 0).any():
            steps = np.diff(np.unique(times[times != UNREADABLE]))
        if not len(steps):
            return None
        if (steps == steps[0]).all():
            return cls(int(steps[0]), steps[:1])
        distances, counts = np.unique(steps, return_counts=True)
        return cls(int(distances[counts.argmax()]), distances)


def timeframe_of(times: Ints, asked: int | None, named: int | None, certain: bool) -> int:
    """The timeframe in ms: the one asked for, else a ``certain`` name's, else the commonest spacing of the rows.

    Candles may be missing, so rows may be several timeframes apart; but a timeframe in which no two rows follow each
    other is wrong, and so is one that does not divide the commonest spacing.

    >>> timeframe_of(np.array([0, 300_000, 900_000]), None, 300_000, True)
    300000

    Raises CandleFileError when the rows contradict the timeframe, or when nothing tells it.
    """
    if asked is not None and (asked < 1_000 or asked % 1_000):
        raise CandleFileError(f"cannot have a timeframe of {asked} ms: give a whole number of seconds")
    spacing = Spacing.of(times)
    said = asked if asked is not None else named if certain or spacing is None else None
    if spacing is None:
        if said is None:
            raise CandleFileError(
                "has fewer than two different times, so their spacing does not tell the timeframe: "
                "put it into the file's name as freqtrade does, BTC_USDT-1m"
            )
        return said
    if said is None:
        if spacing.commonest % 1_000:
            raise CandleFileError(
                f"has rows {spacing.commonest} ms apart, which is no whole number of seconds: it does not hold candles"
            )
        return spacing.commonest
    divides = spacing.commonest % said == 0
    if not divides or (asked is None and said not in spacing.distances):
        source = "the timeframe asked for" if asked is not None else "its name"
        raise CandleFileError(
            f"has rows that are mostly {_length(spacing.commonest)} apart, but {source} says {from_millis(said)}: "
            f"{'ask for the right one' if asked is not None else 'rename the file'}"
        )
    return said


def _length(millis: int) -> str:
    return from_millis(millis) if millis % 1_000 == 0 else f"{millis} ms"
