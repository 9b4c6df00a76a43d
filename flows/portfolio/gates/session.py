"""Gate: trading hours."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.config.root import Config
from schemas.session import DAYS, minute_of_week, parse


class Told(Figures):
    """What it decides on."""

    at: str  # day and minute, UTC


class Session(Gate):
    """No entry outside of ``risk.sessions``."""

    name = "session"
    codes: ClassVar = {
        "SESSION_CLOSED": "the signal, or the order by hand, lies outside of the hours in which entries are allowed",
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
        """``SESSION_CLOSED`` when no session is open at the close of the signal's candle, or at a click."""
        minute = minute_of_week(intent.now)
        at, open_ = self.minutes.get(minute) or self._look_up(minute, intent.now)
        return Told(at) if open_ else Refusal("SESSION_CLOSED", Told(at))

    def _look_up(self, minute: int, ts: int) -> tuple[str, bool]:
        weekday, of_day = divmod(minute, 1_440)
        shown = f"{DAYS[weekday]} {of_day // 60:02}:{of_day % 60:02}"
        found = self.minutes[minute] = shown, any(hours.open(ts) for hours in self.hours)
        return found
