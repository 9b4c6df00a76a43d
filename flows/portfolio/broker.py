"""The paper broker: the rules by which candles fill orders (docs/fills.md states them for users)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import numpy as np

from flows.portfolio.rounding import DOWN, UP, on_grid
from schemas.config.broker import BrokerConfig
from schemas.config.instruments import InstrumentsConfig
from schemas.order import BracketLeg


class Ticket(msgspec.Struct, gc=False):
    """A market order that waits for the open of the next candle."""

    order: Any  # schemas.order.Order
    value: float  # expected notional: added to exposure by an entry, taken from it by an exit


class Bracket(msgspec.Struct, gc=False):
    """The stop and the target that guard an open position."""

    strategy: str
    side: int
    stop: float
    target: float  # out of reach (infinite) when there is none
    exact_stop: Decimal
    exact_target: Decimal | None


class Triggered(NamedTuple):
    """A bracket that the candle set off."""

    strategy: str
    leg: BracketLeg
    level: Decimal | None  # the stop or target that was reached
    price: Decimal  # what it is filled at


class PaperBroker:
    """Waiting orders and brackets by symbol. No clock, no randomness: fills follow from candles alone."""

    def __init__(self, config: BrokerConfig, instruments: InstrumentsConfig) -> None:
        self.slippage = config.slippage_pct / 100
        self.instruments = instruments
        self.waiting: dict[str, list[Ticket]] = {}
        self.brackets: dict[str, dict[str, Bracket]] = {}

    def market_price(self, symbol: str, price: float, *, buy: bool) -> Decimal:
        """What a market order gets at a price: slippage against us, then the next tick against us."""
        slipped = price * (1 + self.slippage if buy else 1 - self.slippage)
        tick = self.instruments.of(symbol).tick
        return max(on_grid(slipped, tick, UP if buy else DOWN), tick)  # nothing is sold for nothing

    def take_waiting(self, symbol: str) -> list[Ticket]:
        """The orders that fill at the open of this symbol's candle, exits before entries, as they were placed."""
        return self.waiting.pop(symbol, [])

    def guard(self, symbol: str, bracket: Bracket) -> None:
        """Watch a position from now on."""
        self.brackets.setdefault(symbol, {})[bracket.strategy] = bracket

    def release(self, symbol: str, strategy: str) -> None:
        """The position is closed."""
        del self.brackets[symbol][strategy]

    def triggered(self, symbol: str, open_: float, high: float, low: float) -> list[Triggered]:
        """The brackets that a candle sets off, by strategy name.

        At the open first: a gap past the stop or the target is filled at the open. Then inside: the stop before the
        target when both lie in the candle, since a candle does not tell which came first.
        """
        found = []
        tick = self.instruments.of(symbol).tick
        for strategy in sorted(self.brackets.get(symbol, ())):
            bracket = self.brackets[symbol][strategy]
            side, stop, target = bracket.side, bracket.stop, bracket.target
            worst, best = (low, high) if side > 0 else (high, low)
            opened_past_target = (open_ - target) * side >= 0
            if (worst - stop) * side <= 0 and not opened_past_target:
                opened_past_stop = (open_ - stop) * side <= 0
                price = self.market_price(symbol, open_ if opened_past_stop else stop, buy=side < 0)
                found.append(Triggered(strategy, "stop", bracket.exact_stop, price))
            elif (best - target) * side >= 0:
                price = on_grid(open_ if opened_past_target else target, tick, DOWN if side > 0 else UP)
                found.append(Triggered(strategy, "target", bracket.exact_target, price))
        return found

    def levels(self, symbol: str) -> tuple[float, float]:
        """(down, up): a candle whose low reaches ``down`` or whose high reaches ``up`` sets something off."""
        down, up = -np.inf, np.inf
        for bracket in self.brackets.get(symbol, {}).values():
            below, above = (bracket.stop, bracket.target) if bracket.side > 0 else (bracket.target, bracket.stop)
            down, up = max(down, below), min(up, above)
        return down, up

    def snapshot(self) -> dict[str, Any]:
        """All state."""
        return {
            "waiting": {symbol: [(t.order, t.value) for t in tickets] for symbol, tickets in self.waiting.items()},
            "brackets": {
                symbol: [msgspec.structs.astuple(bracket) for bracket in brackets.values()]
                for symbol, brackets in self.brackets.items()
            },
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.waiting = {symbol: [Ticket(*t) for t in tickets] for symbol, tickets in state["waiting"].items()}
        self.brackets = {
            symbol: {values[0]: Bracket(*values) for values in brackets}
            for symbol, brackets in state["brackets"].items()
        }
