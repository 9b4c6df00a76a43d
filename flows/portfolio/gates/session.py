"""Gate: trading hours."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config
from schemas.session import DAYS, minute_of_week, parse


class Session(Gate):
    """No entry outside of ``risk.sessions``."""

    name = "session"
    codes: ClassVar = {
        "SESSION_CLOSED": "the signal lies outside of the hours in which entries are allowed",
    }

    def __init__(self, config: Config) -> None:
        """Reads ``risk.sessions``."""
        self.hours = [parse(text) for text in config.risk.sessions]

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without sessions."""
        return bool(config.risk.sessions)

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``SESSION_CLOSED`` when no session is open at the close of the signal's candle."""
        weekday, minute = divmod(minute_of_week(intent.signal.ts), 1_440)
        figures: Figures = {"at": f"{DAYS[weekday]} {minute // 60:02}:{minute % 60:02}"}
        open_ = any(hours.open(intent.signal.ts) for hours in self.hours)
        return figures if open_ else Refusal("SESSION_CLOSED", figures)
