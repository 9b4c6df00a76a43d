"""What a breaker is: a rule that looks at what happens to an account, and says when trading has to stop."""

# ruff: noqa: ARG002 (a breaker overrides what it needs of this)
from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np

from schemas.breaker import Scope
from schemas.config.breakers import BreakerConfig
from schemas.config.root import Config
from schemas.timeframe import to_millis

Figures = dict[str, Any]
MANUAL = "manual"
"""The strategy of what is traded by hand."""
OFF = -np.inf
"""A level of equity that is never reached."""


class Place(NamedTuple):
    """What a trading state holds for: the whole portfolio, a strategy, or a symbol."""

    scope: Scope
    name: str = ""

    @property
    def strategy(self) -> str | None:
        """Of a strategy's."""
        return self.name if self.scope == "strategy" else None

    @property
    def symbol(self) -> str | None:
        """Of a symbol's."""
        return self.name if self.scope == "symbol" else None

    def holds(self, strategy: str, symbol: str) -> bool:
        """Whether it is about a strategy in a symbol.

        >>> Place("portfolio").holds("a", "BTC/USDT"), Place("strategy", "b").holds("a", "BTC/USDT")
        (True, False)
        """
        return self.name == {"portfolio": "", "strategy": strategy, "symbol": symbol}[self.scope]

    def __str__(self) -> str:
        return f"{self.scope} {self.name}".rstrip()


ALL = Place("portfolio")


class Trip(NamedTuple):
    """It is time: where, and on which figures."""

    place: Place
    figures: Figures


class Closed(msgspec.Struct, gc=False):
    """A position (or a part of it) that was closed."""

    ts: int
    strategy: str
    symbol: str
    pnl: Decimal  # after fees, account currency


class Filled(msgspec.Struct, gc=False):
    """An order that was filled."""

    ts: int
    strategy: str
    symbol: str
    side: int  # 1 bought, -1 sold
    price: float
    expected: float  # the close at which it was decided; of a stop its level


class Decided(msgspec.Struct, gc=False):
    """A wish that the gates let through, or refused."""

    ts: int
    strategy: str
    symbol: str
    refused: bool


class Breaker:
    """One rule. To add one: its file, its section in ``schemas/config/breakers.py``, and its line in ``BREAKERS``.

    It overrides the few methods that it needs. Levels of equity, of a return and of a gap are put into the account's
    tally by :meth:`arm`: the compiled walk compares them at every instant, and :meth:`look` is called when one is
    reached. What it counts lies in ``counts``, so that a snapshot has it.
    """

    name: ClassVar[str]
    limit: ClassVar[str]
    """The setting without which it is not there."""

    def __init__(self, config: Config) -> None:
        """Read the settings; called once, and again when they change."""
        self.counts: dict[Any, Any] = {}
        self.read(config)

    def read(self, config: Config) -> None:
        """Take the settings, and keep what was counted."""
        self.config: Any = getattr(config.breakers, self.name)

    @classmethod
    def wanted(cls, config: Config) -> bool:
        """Whether its limit is set."""
        section: BreakerConfig = getattr(config.breakers, cls.name)
        return getattr(section, cls.limit) is not None

    def settings(self) -> Figures:
        """The settings in force, for records."""
        return dict(self.config.model_dump(mode="json"))

    def place(self, strategy: str, symbol: str) -> Place:
        """What it counts for, by its scope."""
        scope: Scope = self.config.scope
        return ALL if scope == "portfolio" else Place(scope, strategy if scope == "strategy" else symbol)

    def until(self, ts: int) -> int | None:
        """When it is reset after a trip at ``ts``; None when not by time."""
        return None if self.config.reset in ("command", "day") else ts + to_millis(self.config.reset)

    def arm(self, tally: Any, day_equity: float) -> None:
        """Put levels into the tally: at the beginning, when a day begins, and after a reset."""

    def disarm(self, tally: Any) -> None:
        """Take them out again: it has tripped."""

    def figures(self, place: Place, tally: Any) -> Figures:
        """What it measures there now, as in a trip: for the record of its reset."""
        return {}

    def begin(self, place: Place, tally: Any) -> None:
        """Count anew: it was reset."""
        self.counts.pop(place, None)

    def day(self, equity: float) -> None:
        """A UTC day has ended, with that equity."""

    def look(self, tally: Any) -> Trip | None:
        """At an instant at which some level was reached."""
        return None

    def jumped(self, symbol: str, figures: Figures) -> Trip | None:
        """The return of a symbol's candle was beyond the armed multiple of its volatility."""
        return None

    def missed(self, symbol: str | None, figures: Figures) -> Trip | None:
        """Candles of a symbol (None: of a whole feed) did not come."""
        return None

    def closed(self, what: Closed) -> Trip | None:
        """A position was closed."""
        return None

    def filled(self, what: Filled) -> Trip | None:
        """An order was filled."""
        return None

    def decided(self, what: Decided) -> Trip | None:
        """The gates have spoken."""
        return None

    def alarmed(self, figures: Figures) -> Trip | None:
        """Something diverged."""
        return None
