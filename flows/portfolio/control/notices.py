"""Records of breakers, and the alerts that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from flows.outbox import Outbox
from flows.portfolio.control.base import Breaker, Figures, Place
from flows.portfolio.gates.base import Refusal
from schemas.alert import Alert
from schemas.breaker import CircuitBreaker, State
from schemas.ids import event_id
from schemas.record import Mode
from schemas.wire import wire

AlertRow, BreakerRow = wire(Alert), wire(CircuitBreaker)


class Notices:
    """Posts what happens to the trading of one account."""

    def __init__(self, portfolio: str, mode: Mode, strategy: str | None) -> None:
        self.portfolio, self.mode, self.strategy = portfolio, mode, strategy
        self.account = "live" if strategy is None else f"shadow {strategy}"
        self.told: dict[tuple[str, str, str], tuple[int, int]] = {}  # of breakers: when last, and how often just then

    def breaker(
        self,
        outbox: Outbox,
        event: Literal["CircuitBreakerTripped", "CircuitBreakerReset"],
        ts: int,
        breaker: Breaker,
        place: Place,
        state: State,
        until: int | None,
        by: str,
        figures: Figures,
    ) -> None:
        """A breaker tripped or was reset."""
        tripped = event == "CircuitBreakerTripped"
        code = "BREAKER_TRIPPED" if tripped else "BREAKER_RESET"
        told = {"breaker": breaker.name, "scope": str(place), "state": state, "by": by, **figures}
        again = self._again((event, breaker.name, str(place)), ts)
        row = BreakerRow(
            id=event_id(self.portfolio, self.account, breaker.name, str(place), ts, event, *again),
            ts=ts,
            portfolio=self.portfolio,
            mode=self.mode,
            event=event,
            breaker=breaker.name,
            scope=place.scope,
            strategy=place.strategy or self.strategy,
            symbol=place.symbol,
            action=breaker.config.action,
            state=state,
            until=until,
            by=by,
            figures=figures,
            settings=breaker.settings(),
            message=Refusal(code, told).message(),
        )
        outbox["breakers"].append(row)
        self.alert(outbox, code, ts, place, told, "critical" if tripped else "info", row.id)

    def _again(self, key: tuple[str, str, str], ts: int) -> tuple[int, ...]:
        """What tells it apart from what the same breaker did at the same instant before: commands may come in a row."""
        last, times = self.told.get(key, (-1, 0))
        times = times + 1 if last == ts else 0
        self.told[key] = ts, times
        return (times,) if times else ()

    def alert(
        self,
        outbox: Outbox,
        code: str,
        ts: int,
        place: Place,
        figures: Mapping[str, Any],
        level: Literal["info", "warning", "critical"] = "warning",
        about: str = "",
    ) -> None:
        """What a person should know: nothing of a shadow. ``about`` tells it apart from others of code and instant."""
        if self.mode == "shadow":
            return
        row = AlertRow(
            id=event_id(self.portfolio, self.account, code, str(place), about or str(figures.get("by", "")), ts),
            ts=ts,
            level=level,
            code=code,
            symbol=place.symbol,
            strategy=place.strategy,
            message=Refusal(code, dict(figures)).message(),
            figures=dict(figures),
        )
        outbox["alerts"].append(row)
