"""Quotes of candles: one that cannot be is not known. The prices beside it count; a stop may hang on them."""

from __future__ import annotations

import numpy as np

from flows.columns import Bools, Floats, Slots
from flows.market.reports import Placed, of_row
from flows.module import Module
from schemas.batch import CandleBatch, sound


class Quotes(Module):
    """Judges the quotes of the rows that are taken. State a symbol: whether its last quote could not be."""

    def __init__(self) -> None:
        self.wrong = self.state(dtype=np.bool_)

    def __call__(self, batch: CandleBatch, slot: Slots, slots: int, taken: Bools) -> tuple[Floats | None, list[Placed]]:
        """By row of a batch its quote, NaN where it is not known; and an alert for the first of a run that cannot be.

        Rows lie in ``slot`` here, of so many. A quote cannot be when the ask is below the bid, when there is one
        without the other, or when one is no price.
        """
        if batch.quote is None:
            return None, []
        self.reserve(slots)
        right = sound(batch.quote)
        told = taken & (right | ~np.isnan(batch.quote).all(axis=1))
        alerts: list[Placed] = []
        if not right[told].all():
            for row in np.flatnonzero(told).tolist():
                if not right[row] and not self.wrong[slot[row]]:
                    alerts.append(
                        of_row(batch, row, "QUOTE_INVALID", "it cannot be, so it is not known; the prices count")
                    )
                self.wrong[slot[row]] = not right[row]
        else:
            self.wrong[slot[told]] = False
        return np.where(right[:, None], batch.quote, np.nan), alerts
