"""Trading states: who holds up what."""

from __future__ import annotations

from typing import Any, NamedTuple

from flows.portfolio.control.base import ALL, Place
from schemas.breaker import State

ACTIVE, REDUCING, HALTED = 0, 1, 2
COMMAND = "command"
"""Who holds when a person does."""
NAMES: tuple[State, ...] = ("ACTIVE", "REDUCING", "HALTED")


Holder = tuple[str, int]
"""Who holds, and at which level: what commands hold at one level stays beside what they hold at another."""


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
        self.holds: dict[Place, dict[Holder, int | None]] = {}  # … and until when (event time; None: without end)
        self.shadowed: set[str] = set()  # strategies that a command has taken out of the live account

    def put(self, place: Place, by: str, level: int, until: int | None) -> int | None:
        """Hold a place up, from now on. Returns until when it is held up so.

        A breaker's earlier word is forgotten. Of the words of commands none is: whoever gives a weaker or a shorter one
        ends nothing that is stricter or longer.

        >>> states = States()
        >>> states.put(ALL, COMMAND, HALTED, None), states.put(ALL, COMMAND, REDUCING, 5), states.at(ALL)
        (None, 5, 'HALTED')
        """
        held = self.holds.setdefault(place, {})
        if by == COMMAND:
            known = held.get((by, level), until)
            until = None if known is None or until is None else max(known, until)
        else:
            for other in {REDUCING, HALTED} - {level}:
                held.pop((by, other), None)
        held[by, level] = until
        return until

    def lift(self, place: Place, by: str) -> bool:
        """Hold it up no longer; False when that holder did not."""
        held = self.holds.get(place, {})
        left = {holder: until for holder, until in held.items() if holder[0] != by}
        if left:
            self.holds[place] = left
        else:
            self.holds.pop(place, None)
        return len(left) < len(held)

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
                for by, level in self.holds.get(place, ()):
                    if level > worst.level:
                        worst = Held(level, place, by)
        return worst

    def expired(self, now: int) -> list[Place]:
        """Lift what commands have put there until now; breakers lift their own. Returns where something was lifted."""
        found = []
        for place, held in sorted(self.holds.items()):
            over = [one for one, until in held.items() if one[0] == COMMAND and until is not None and until <= now]
            for holder in over:
                del held[holder]
            if not held:
                del self.holds[place]
            found += [place] if over else []
        return found

    def ends(self) -> list[int]:
        """When holds end by themselves."""
        return [until for held in self.holds.values() for until in held.values() if until is not None]

    def at(self, place: Place) -> State:
        """The state of a place by its own holds."""
        return NAMES[max((level for _, level in self.holds.get(place, ())), default=ACTIVE)]

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        holds = {tuple(place): dict(held) for place, held in self.holds.items()}
        return {"holds": holds, "shadowed": sorted(self.shadowed)}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.holds = {Place(*place): dict(held) for place, held in state["holds"].items()}
        self.shadowed = set(state["shadowed"])
