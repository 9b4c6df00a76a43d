"""Trading states: who holds up what."""

from __future__ import annotations

from typing import Any, NamedTuple

from flows.portfolio.control.base import ALL, Place
from schemas.breaker import State

ACTIVE, REDUCING, HALTED = 0, 1, 2
COMMAND = "command"
"""Who holds when a person does."""
NAMES: tuple[State, ...] = ("ACTIVE", "REDUCING", "HALTED")


class Hold(NamedTuple):
    """A state that somebody asked for, and when it ends by itself (event time; None: it does not)."""

    level: int
    until: int | None


class Held(NamedTuple):
    """The strictest hold on a strategy in a symbol."""

    level: int
    place: Place
    by: str

    def figures(self) -> dict[str, Any]:
        """As a refusal has it."""
        return {"state": NAMES[self.level], "scope": str(self.place), "by": self.by}


FREE = Held(ACTIVE, ALL, "")


class States:
    """The holds on the portfolio, on strategies and on symbols, by who put them there. The strictest one counts.

    ACTIVE: everything goes. REDUCING: exits only. HALTED: nothing but exits that protect: stops, targets, and what is
    closed by a breaker or a command.
    """

    def __init__(self) -> None:
        self.holds: dict[Place, dict[str, Hold]] = {}
        self.shadowed: set[str] = set()  # strategies that a command has taken out of the live account

    def put(self, place: Place, by: str, level: int, until: int | None) -> None:
        """Hold a place up, from now on; the same holder's earlier word on it is forgotten."""
        self.holds.setdefault(place, {})[by] = Hold(level, until)

    def lift(self, place: Place, by: str) -> bool:
        """Hold it up no longer; False when that holder did not."""
        held = self.holds.get(place, {})
        found = held.pop(by, None) is not None
        if not held:
            self.holds.pop(place, None)
        return found

    def of(self, strategy: str, symbol: str) -> Held:
        """What counts for a strategy in a symbol.

        >>> states = States()
        >>> states.put(Place("symbol", "BTC/USDT"), "volatility", REDUCING, None)
        >>> states.of("a", "BTC/USDT").figures()
        {'state': 'REDUCING', 'scope': 'symbol BTC/USDT', 'by': 'volatility'}
        >>> states.of("a", "ETH/USDT") == FREE
        True
        """
        worst = FREE
        if self.holds:
            for place in (ALL, Place("strategy", strategy), Place("symbol", symbol)):
                for by, hold in self.holds.get(place, {}).items():
                    if hold.level > worst.level:
                        worst = Held(hold.level, place, by)
        return worst

    def expired(self, now: int) -> list[tuple[Place, str]]:
        """Lift what commands have put there until now; breakers lift their own. Returns what was lifted."""
        found = [
            (place, by)
            for place, held in sorted(self.holds.items())
            for by, hold in held.items()
            if by == COMMAND and hold.until is not None and hold.until <= now
        ]
        for place, by in found:
            self.lift(place, by)
        return found

    def ends(self) -> list[int]:
        """When holds end by themselves."""
        return [hold.until for held in self.holds.values() for hold in held.values() if hold.until is not None]

    def at(self, place: Place) -> State:
        """The state of a place by its own holds."""
        return NAMES[max((hold.level for hold in self.holds.get(place, {}).values()), default=ACTIVE)]

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        holds = {tuple(place): {by: tuple(hold) for by, hold in held.items()} for place, held in self.holds.items()}
        return {"holds": holds, "shadowed": sorted(self.shadowed)}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.holds = {
            Place(*place): {by: Hold(*hold) for by, hold in held.items()} for place, held in state["holds"].items()
        }
        self.shadowed = set(state["shadowed"])
