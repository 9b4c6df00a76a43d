"""What a gate is: a rule that lets an intent through, perhaps smaller, or refuses it, and says on which figures."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from flows.columns import Floats
from flows.portfolio.control.states import States
from flows.portfolio.memory import Memory
from schemas.config.instruments import Instrument
from schemas.config.root import Config

Named = dict[str, Any]
"""Figures by their names."""
FREE = States()
"""Nothing does."""


class Intent(msgspec.Struct, gc=False):
    """An entry on its way through the gates. Each gate may tighten it; ``quantity`` is 0 until it is sized."""

    signal: Any  # schemas.signal.Signal
    side: int  # 1 long, -1 short
    price: float  # what a fill is expected at: close of the signal's candle, or price of an order that waits for it
    instrument: Instrument
    stop: Decimal = Decimal(0)  # on the tick, as it will be ordered
    target: Decimal | None = None
    risk: float = 0.0  # |price - stop|
    quantity: float = 0.0
    lots: Decimal = Decimal(0)  # the quantity on the lot, as it will be ordered
    atr: float = math.nan  # average true range, if a level is measured in it
    trigger: Decimal | None = None  # price of an order that waits for it; none at the market
    now: int = 0  # epoch ms: close of the signal's candle, or when somebody gave the order by hand


class Exposure(msgspec.Struct, gc=False):
    """A position as marked, or an order that waits: an entry adds to its side, an exit takes from it."""

    symbol: str
    slot: int  # the symbol's column in the samples of returns
    value: float  # account currency; negative for an exit that waits
    signed: float  # the same, times the side: 1 long, -1 short


NO_RETURNS = np.empty((0, 1))


class Standing(msgspec.Struct, gc=False):
    """The account as a gate sees it: marked at the signal's instant, with waiting orders counted as if filled."""

    equity: float
    gross: float  # absolute value of positions and waiting entries, less waiting exits, account currency
    positions: int  # open positions and waiting entries, less waiting exits
    held: int  # of this strategy in this symbol: 1 long, -1 short, 0 none
    memory: Memory
    additions: int = 0  # how often that may still be added to
    held_quantity: float = 0.0  # of it, when this is an addition
    late_ms: int = 0  # event time that has passed since the signal's candle closed
    atr: float = math.nan  # of the symbol, if something uses it: flows/portfolio/estimates.py
    vol: float = math.nan
    states: States = FREE  # what holds trading up
    expose: Callable[[], list[Exposure]] = list
    returns: Floats = NO_RETURNS  # samples, one a row; NaN where a symbol has none
    slot: int = 0  # the symbol's column there
    _exposed: list[Exposure] | None = None

    def exposures(self) -> list[Exposure]:
        """What ``gross`` is made of, looked up once."""
        if self._exposed is None:
            self._exposed = self.expose()
        return self._exposed


class Figures(msgspec.Struct, gc=False):
    """What a gate decides on. Smaller than a dict, and on the wire the same; what is UNSET is not told."""

    def named(self) -> Named:
        """As on the wire."""
        return dict(msgspec.to_builtins(self))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as a dict: who reads an order back needs no gate."""
        return dict, (self.named(),)


class Capped(Figures, kw_only=True):
    """What a gate decides on that may make the intent smaller."""

    shrunk_to: float | UnsetType = UNSET  # account currency; if it was


class Refusal(msgspec.Struct, gc=False):
    """A no: ``CATEGORY_CONDITION`` and the figures it was decided on."""

    code: str
    figures: Figures | Named

    def named(self) -> Named:
        """The figures, as on the wire."""
        return self.figures.named() if isinstance(self.figures, Figures) else self.figures

    def message(self) -> str:
        """As people read it.

        >>> Refusal("CASH_INSUFFICIENT", {"needed": 120.0, "free": 100.0}).message()
        'CASH_INSUFFICIENT: needed=120 free=100'
        """
        shown = " ".join(f"{k}={v:.10g}" if isinstance(v, float) else f"{k}={v}" for k, v in self.named().items())
        return f"{self.code}: {shown}"


class Gate(ABC):
    """One rule. To add one: its file, and its line in :data:`flows.portfolio.gates.GATES`."""

    name: ClassVar[str]
    codes: ClassVar[dict[str, str]]
    """By code of a refusal, what it means."""

    @abstractmethod
    def __init__(self, config: Config) -> None:
        """Read the settings; called once."""

    @staticmethod
    def wanted(config: Config) -> bool:  # noqa: ARG004
        """Whether these settings ask for it. A gate that nobody asked for is not there, and costs nothing."""
        return True

    @abstractmethod
    def check(self, intent: Intent, standing: Standing) -> Figures | Named | Refusal:
        """Figures when it lets the intent through (having tightened it, if it must), else the refusal."""


def over(intent: Intent, room: float, code: str, figures: Capped, *, shrink: bool) -> Capped | Refusal:
    """The intent is worth more than a cap leaves room for: shrink it to that, or refuse it when nothing is left."""
    if not shrink or room <= 0:
        return Refusal(code, figures)
    intent.quantity = room / intent.price
    figures.shrunk_to = room
    return figures
