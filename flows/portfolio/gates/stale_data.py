"""Gate: no entry on a candle that came late, nor on the first one after a hole where the configuration says so."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config


class Told(Figures):
    """What it decides on."""

    missing: int  # candles right before it


class StaleData(Gate):
    """A signal whose instant had been decided when it came is refused: its price is of the past.

    With ``market.empty_candle: stale``, so is one right after missing candles.
    """

    name = "stale_data"
    codes: ClassVar = {
        "SIGNAL_LATE": "its candle came after the instant had been decided: the price is of the past",
        "DATA_STALE": "candles are missing right before that of the signal",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``market.empty_candle``."""
        self.strict = config.market.empty_candle == "stale"

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``SIGNAL_LATE`` when it came late, ``DATA_STALE`` when candles were missing right before the signal's."""
        if standing.late_ms > 0:
            return Refusal("SIGNAL_LATE", {"late_ms": standing.late_ms})
        figures = Told(intent.signal.missing)
        return Refusal("DATA_STALE", figures) if self.strict and intent.signal.missing else figures
