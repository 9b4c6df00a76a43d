"""Gate: no entry on the first candle after a hole, where the configuration says so."""

from __future__ import annotations

from flows.portfolio.gates.base import Figures, Intent, Refusal, Standing
from schemas.config.root import Config


class StaleData:
    """With ``market.empty_candle: stale``, a signal right after missing candles is refused."""

    name = "stale_data"

    def __init__(self, config: Config) -> None:
        """Reads ``market.empty_candle``."""
        self.strict = config.market.empty_candle == "stale"

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``DATA_STALE`` when candles were missing right before the signal's."""
        figures = {"missing": intent.signal.missing}
        return Refusal("DATA_STALE", figures) if self.strict and intent.signal.missing else figures
