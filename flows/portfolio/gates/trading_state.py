"""Gate: trading is on."""

from __future__ import annotations

from typing import ClassVar

from flows.portfolio.control import steered
from flows.portfolio.control.states import ACTIVE, HALTED, NAMES
from flows.portfolio.gates.base import Figures, Gate, Intent, Refusal, Standing
from schemas.breaker import State
from schemas.config.root import Config


class Told(Figures):
    """What it decides on."""

    state: State


FREE = Told(NAMES[ACTIVE])


class TradingState(Gate):
    """Entries are for a state ACTIVE of the portfolio, the strategy and the symbol; breakers and commands change it.

    In HALTED a strategy's wish to get out is refused, too: then stops, targets and commands alone close a position.
    """

    name = "trading_state"
    codes: ClassVar = {
        "TRADING_REDUCING": "a breaker or a command lets positions be closed only",
        "TRADING_HALTED": "a breaker or a command lets nothing happen but exits that protect",
    }

    def __init__(self, config: Config) -> None:
        """It has no settings."""

    @staticmethod
    def wanted(config: Config) -> bool:
        """Off without anything that could change the state."""
        return steered(config)

    def check(self, intent: Intent, standing: Standing) -> Figures | Refusal:
        """``TRADING_REDUCING``, ``TRADING_HALTED`` by the strictest state of those three."""
        held = standing.states.of(intent.signal.strategy, intent.signal.symbol)
        if held.level == ACTIVE:
            return FREE
        if held.level == HALTED:
            return Refusal("TRADING_HALTED", held.figures())
        return Refusal("TRADING_REDUCING", held.figures())
