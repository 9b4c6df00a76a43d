"""Gate: the quantity is one that the exchange takes."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from flows.portfolio.rounding import DOWN, on_grid
from schemas.config.root import Config


class Told(Figures):
    """What it decides on."""

    quantity: float
    notional: float


class Minimum(Gate):
    """Rounds the quantity down to the lot. What is then too small is refused, never rounded up."""

    name = "minimum"
    codes: ClassVar = {
        "LOT_TOO_SMALL": "rounded down to the lot it is nothing, or below the smallest quantity",
        "NOTIONAL_TOO_SMALL": "it is worth less than the smallest order that the exchange takes",
    }

    def __init__(self, config: Config) -> None:
        """It reads the instrument of the intent."""

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``LOT_TOO_SMALL`` below one lot or the smallest quantity, ``NOTIONAL_TOO_SMALL`` below the smallest value."""
        instrument = intent.instrument
        intent.lots = on_grid(intent.quantity, instrument.lot, DOWN)
        if intent.lots <= 0 or intent.lots < instrument.min_quantity:
            least = float(max(instrument.min_quantity, instrument.lot))
            return Refusal("LOT_TOO_SMALL", {"quantity": intent.quantity, "least": least})
        intent.quantity = float(intent.lots)
        notional, least = intent.quantity * intent.price, float(instrument.min_notional)
        if notional < least:
            return Refusal("NOTIONAL_TOO_SMALL", {"notional": notional, "least": least})
        return Told(intent.quantity, notional)
