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
        self.minutes: dict[int, tuple[str, bool]] = {}  # of the week, those that were asked for: shown, and open

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without sessions."""
        return bool(config.risk.sessions)

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:  # noqa: ARG002
        """``SESSION_CLOSED`` when no session is open at the close of the signal's candle."""
        ts = intent.signal.ts
        at, open_ = self.minutes.get(minute_of_week(ts)) or self._look_up(ts)
        return {"at": at} if open_ else Refusal("SESSION_CLOSED", {"at": at})

    def _look_up(self, ts: int) -> tuple[str, bool]:
        weekday, minute = divmod(minute_of_week(ts), 1_440)
        shown = f"{DAYS[weekday]} {minute // 60:02}:{minute % 60:02}"
        found = self.minutes[minute_of_week(ts)] = shown, any(hours.open(ts) for hours in self.hours)
        return found
