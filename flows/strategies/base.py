"""The base of every strategy."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from flows.columns import Bools, Candles, Floats
from flows.module import Module


class Parameters(BaseModel):
    """Base of a strategy's parameters: give every field a default, bounds, and a description with its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Signals:
    """What a strategy wants at each row of a batch: columns as long as the batch.

    ``long``, ``short`` and ``flat`` are masks; at most one of them may hold in a row. Each long or short needs a
    stop and a target, given as their distances from the close (quote currency, positive; NaN: none in this row): what
    has none, and gets none from the section ``exits`` of the configuration, is refused. ``share_pct`` is for rows of
    ``flat``: how much of what is held leaves, above 0 and at most 100 percent (NaN or no column: all of it).
    ``values`` are columns worth recording beside the signal.
    """

    long: Bools | None = None
    short: Bools | None = None
    flat: Bools | None = None
    stop_distance: Floats | None = None
    target_distance: Floats | None = None
    confidence: Floats | None = None
    share_pct: Floats | None = None
    reason: str = ""
    values: dict[str, Floats] = field(default_factory=dict)


class Strategy(Module):
    """Declare indicators in ``__init__``, call them in :meth:`on_candles`.

    A strategy sees columns of closed candles of many symbols, and its indicators keep each symbol apart; it cannot
    look ahead, since a batch may end after any row. ``version`` is semantic: raise it when the signals change.
    """

    version: ClassVar[str] = "0.1.0"

    class Params(Parameters):
        """The parameters. A strategy that has some declares its own class of this name."""

    def __init__(self, params: Parameters) -> None:
        self.params = params

    @abstractmethod
    def on_candles(self, candles: Candles) -> Signals:
        """Signals for a batch. Called once a batch, with rows in event order; every column must have its length."""
