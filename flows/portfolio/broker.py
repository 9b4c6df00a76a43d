"""The paper broker: the rules by which candles fill orders (docs/fills.md states them for users)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import numpy as np

from flows.portfolio.rounding import DOWN, UP, on_grid
from flows.portfolio.tranches import Guard, Tranche, hits
from schemas.config.broker import BrokerConfig
from schemas.config.instruments import InstrumentsConfig
from schemas.order import BracketLeg


class Ticket(msgspec.Struct, gc=False):
    """A market order that waits for the open of the next candle."""

    order: Any  # schemas.order.Order
    value: float  # expected notional: added to exposure by an entry, taken from it by an exit


class Triggered(NamedTuple):
    """A stop or a target that the candle set off, for one tranche or several."""

    strategy: str
    leg: BracketLeg
    level: Decimal
    price: Decimal  # what it is filled at
    tranches: list[Tranche]

    @property
    def quantity(self) -> Decimal:
        """Of all that leave."""
        return sum((one.quantity for one in self.tranches[1:]), self.tranches[0].quantity)


class PaperBroker:
    """Waiting orders and guards by symbol. No clock, no randomness: fills follow from candles alone."""

    def __init__(self, config: BrokerConfig, instruments: InstrumentsConfig) -> None:
        self.slippage = config.slippage_pct / 100
        self.instruments = instruments
        self.waiting: dict[str, list[Ticket]] = {}
        self.guards: dict[str, dict[str, Guard]] = {}

    def market_price(self, symbol: str, price: float, *, buy: bool) -> Decimal:
        """What a market order gets at a price: slippage against us, then the next tick against us."""
        slipped = price * (1 + self.slippage if buy else 1 - self.slippage)
        tick = self.instruments.of(symbol).tick
        return max(on_grid(slipped, tick, UP if buy else DOWN), tick)  # nothing is sold for nothing

    def take_waiting(self, symbol: str) -> list[Ticket]:
        """The orders that fill at the open of this symbol's candle, exits before entries, as they were placed."""
        return self.waiting.pop(symbol, [])

    def guard(self, symbol: str, strategy: str, guard: Guard) -> None:
        """Watch a position from now on."""
        self.guards.setdefault(symbol, {})[strategy] = guard

    def release(self, symbol: str, strategy: str) -> None:
        """The position is closed."""
        del self.guards[symbol][strategy]

    def triggered(self, symbol: str, open_: float, high: float, low: float) -> list[Triggered]:
        """The stops and targets that a candle sets off, by strategy name.

        A gap past a stop or a target is filled at the open. Slippage is for stops alone.
        """
        found = []
        tick = self.instruments.of(symbol).tick
        for strategy in sorted(self.guards.get(symbol, ())):
            guard = self.guards[symbol][strategy]
            sells = guard.side > 0
            for hit in hits(guard, open_, high, low):
                if hit.leg == "stop":
                    price = self.market_price(symbol, hit.at, buy=not sells)
                else:
                    price = on_grid(hit.at, tick, DOWN if sells else UP)
                found.append(Triggered(strategy, hit.leg, hit.level, price, hit.tranches))
        return found

    def levels(self, symbol: str) -> tuple[float, float]:
        """(down, up): a candle whose low reaches ``down`` or whose high reaches ``up`` sets something off."""
        down, up = -np.inf, np.inf
        for guard in self.guards.get(symbol, {}).values():
            for one in guard.tranches:
                below, above = (one.stop_at, one.target_at) if guard.side > 0 else (one.target_at, one.stop_at)
                down, up = max(down, below), min(up, above)
        return down, up

    def snapshot(self) -> dict[str, Any]:
        """All state."""
        return {
            "waiting": {symbol: [(t.order, t.value) for t in tickets] for symbol, tickets in self.waiting.items()},
            "guards": {
                symbol: {
                    name: (guard.side, [msgspec.structs.astuple(one) for one in guard.tranches])
                    for name, guard in guards.items()
                }
                for symbol, guards in self.guards.items()
            },
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.waiting = {symbol: [Ticket(*t) for t in tickets] for symbol, tickets in state["waiting"].items()}
        self.guards = {
            symbol: {name: Guard(side, [Tranche(*one) for one in parts]) for name, (side, parts) in guards.items()}
            for symbol, guards in state["guards"].items()
        }
