"""Which kills a matrix makes, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random

from tests.chaos.worker import COMMANDS, POINTS, READING

RANDOM, EPOCH = "at a random time", "while an epoch is written"
WORKER, CLUSTER, PARENT = "one process of two", "both processes and their parent", "the parent of two processes"
ZOMBIE = "zombie: a successor beside it"

MOST = {"O1": 5, "O2": 5, "O3": 2, READING: 8, "P2": 12, "P3": 12, "P4": 12, "S2": 12} | dict.fromkeys(POINTS, 12)
MOST |= {"snapshot of portfolio": 3, "snapshot of journal": 3, "snapshot of commands": 3} | dict.fromkeys(COMMANDS, 4)
"""At which passage of a point at most: parts open once each, there is one portfolio, and few commands come."""

WHERE = {
    "O1": "fencing",
    "O2": "asking for ends",
    "O3": "before reading back",
    READING: "while reading back",
    "P2": "inside a transaction, empty",
    "P3": "inside a transaction, produced",
    "P4": "behind a commit",
    "S2": "behind an entry of the journal that is on its way",
}


@dataclass(frozen=True)
class Round:
    """One start of the flow, and how it ends. ``point`` is where the flow itself meets its end, if it does."""

    kind: str
    point: str | None = None
    times: int = 0
    then: str = ""

    @property
    def name(self) -> str:
        """In words."""
        if self.point is None:
            return self.kind
        where = f"{self.point}: {WHERE[self.point]}" if self.point in WHERE else self.point
        return where if self.kind == self.point else f"{self.kind}, {where}"

    @property
    def kills(self) -> int:
        """How many kills it makes."""
        return 2 if self.then else 1


def _at(point: str, kind: str = "", then: str = "") -> Round:
    assert point in MOST
    return Round(kind or point, point, 1, then)


# Something is read back only when something was published since the checkpoint: so O3 and R come behind P4.
SHORT = (
    _at("P4"),
    _at("O3"),
    _at("P3"),
    _at("P4"),
    _at(READING),
    _at("snapshot of sink"),
    Round(WORKER, then=CLUSTER),
    _at("P3", ZOMBIE),
    Round(EPOCH),
    _at("snapshot of portfolio"),
    _at("S2"),
    _at("O1"),
    _at("a command on its way to the journal"),
    _at("a command obeyed"),
    _at("an answer produced"),
    _at("an answer published"),
    Round(RANDOM),
)
LONG = (
    *SHORT,
    _at("P2"),
    _at("O2"),
    _at("snapshot of market"),
    Round(RANDOM),
    _at("snapshot of candles"),
    Round(EPOCH),
    _at("P4", WORKER, PARENT),
    _at("O3"),
    _at("snapshot of journal"),
    Round(ZOMBIE),
    Round(RANDOM),
    _at("P3", WORKER, CLUSTER),
    _at("P4", ZOMBIE),
    _at("S2", ZOMBIE),
    Round(RANDOM),
    _at("snapshot of sink", WORKER, CLUSTER),
    Round(EPOCH),
    _at("a command read"),
    _at("a command obeyed", ZOMBIE),
    _at("snapshot of commands"),
    _at("an answer produced", WORKER, CLUSTER),
    _at("an answer published", ZOMBIE),
)


def plan(rounds: tuple[Round, ...], kills: int, draw: Random) -> Iterator[Round]:
    """Rounds again and again, until there are so many kills."""
    made = 0
    for one in cycle(rounds):
        if made >= kills:
            return
        made += one.kills
        times = draw.randint(1, MOST[one.point]) if one.point else 0
        yield Round(one.kind, one.point, times, one.then)
